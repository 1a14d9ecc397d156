/** The scheduled check, on a real Temporal and Postgres, of a workspace whose services never answer. */
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createScheduleActivities } from '../../../src/activities/schedule-activities.js';
import type { ProviderIdentity } from '../../../src/protocol/references.js';
import { ProviderTypes } from '../../../src/providers/provider-types.js';
import { row } from '../../store/rows.js';
import { temporalAddress, uniqueName } from '../../support/parts.js';
import { useDatabase } from '../../support/use-database.js';

/** The largest number that a workspace may have: two pages. */
const HANGING = 200;

const database = useDatabase();

test('hundreds of providers that hang do not keep the next workspace waiting, beyond their page [G23]', async () => {
  const names = Array.from({ length: HANGING }, (_, index) => `node-${1000 + index}`);
  const slow = names.map((name) => ({ workspaceId: 'ws_a', type: 'rpc', name }));
  const others = ['ws_b', 'ws_c'].flatMap((workspaceId) =>
    names.slice(0, 3).map((name) => ({ workspaceId, type: 'rpc', name })),
  );
  for (const provider of [...slow, ...others]) await database.manager.putProvider(provider, row('x'));

  const checked: string[] = [];
  const activities = createScheduleActivities({
    store: database.manager,
    types: ProviderTypes.builtIn,
    rotations: { abandon: async () => {} },
    checkProvider: async (provider: ProviderIdentity) => {
      if (provider.workspaceId === 'ws_a') return new Promise(() => {});
      checked.push(`${provider.workspaceId} ${provider.name}`);
      return { outcome: 'ok', version: 1 } as never;
    },
  });
  const [native, connection] = await Promise.all([
    NativeConnection.connect({ address: temporalAddress() }),
    Connection.connect({ address: temporalAddress() }),
  ]);
  const taskQueue = uniqueName('check');
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    activities,
    workflowsPath: fileURLToPath(new URL('../../../src/workflows/index.ts', import.meta.url)),
    shutdownForceTime: 100,
  });
  const running = worker.run();
  const client = new Client({ connection });
  const handle = await client.workflow.start('checkProviders', { taskQueue, workflowId: taskQueue, args: [{}] });
  onTestFinished(async () => {
    await handle.terminate();
    worker.shutdown();
    await running.catch(() => {});
    await connection.close();
    await native.close();
  });
  await vi.waitFor(() => expect(checked).toHaveLength(others.length), { timeout: 20_000, interval: 100 });
  expect(checked.toSorted()).toEqual(others.map(({ workspaceId, name }) => `${workspaceId} ${name}`).toSorted());
});
