/** The plugin over providers in memory, with Temporal's real server. */
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testProviders } from '../../src/testing.js';
import { temporalAddress, uniqueName } from '../support/parts.js';

const workflowsPath = fileURLToPath(new URL('workflows.ts', import.meta.url));
const keyOf = (workspaceId: string) => ({ 'llm/openai': { apiKey: `key-of-${workspaceId}-for-tests` } });
const service = () => Response.json({ data: [] });
const WORKSPACES = { ws_acme: keyOf('ws_acme'), ws_other: keyOf('ws_other') };

let connection: NativeConnection;
let client: Client;

beforeAll(async () => {
  const address = temporalAddress();
  connection = await NativeConnection.connect({ address });
  client = new Client({ connection: await Connection.connect({ address }) });
});

afterAll(async () => {
  await connection.close();
  await client.connection.close();
});

async function during<Result>(
  providers: ReturnType<typeof testProviders>,
  run: (taskQueue: string) => Promise<Result>,
): Promise<Result> {
  const taskQueue = uniqueName('testing');
  const worker = await Worker.create({ connection, taskQueue, workflowsPath, plugins: [providers.plugin()] });
  return worker.runUntil(run(taskQueue));
}

test('a workflow works for the workspace of its client', async () => {
  const providers = testProviders(WORKSPACES, { service });
  const hosts = await during(providers, (taskQueue) =>
    Promise.all(
      Object.keys(WORKSPACES).map((workspaceId) =>
        providers
          .clientFor(client, workspaceId)
          .workflow.execute('workspaceOfKey', { taskQueue, workflowId: uniqueName('key') }),
      ),
    ),
  );
  expect(hosts).toEqual(Object.keys(WORKSPACES));
});

test('without a grant it works for the only workspace, and for none if there are several', async () => {
  const start = (taskQueue: string) =>
    client.workflow.execute('workspaceOfKey', { taskQueue, workflowId: uniqueName('key') });
  expect(await during(testProviders({ ws_acme: WORKSPACES.ws_acme }, { service }), start)).toBe('ws_acme');
  await expect(during(testProviders(WORKSPACES, { service }), start)).rejects.toMatchObject({
    cause: { cause: { type: 'GrantInvalid' } },
  });
});
