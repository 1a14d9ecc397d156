/** Results that a workflow history cannot hold, on a real Temporal server, with and without external storage. */
import { fileURLToPath } from 'node:url';
import { Client, type WorkflowHandle } from '@temporalio/client';
import { type DataConverter, ExternalStorage, type Payload, StorageDriverClaim } from '@temporalio/common';
import { beforeAll, describe, expect, test } from 'vitest';
import { providerDataConverter } from '../../src/codec/data-converter.js';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { TEST_ENCRYPTION_KEY } from '../support/fake-store.js';
import { uniqueName } from '../support/parts.js';
import { attemptsIn, failureOf } from './history.js';
import type { callActivity, readChain, sizeOfRead } from './workflows.js';

/** The oldest SDK that is tested has none. */
const hasStorage = typeof ExternalStorage === 'function';

const MIB = 1024 * 1024;
/** With the envelope of a payload and its quotation marks, just within what a history holds. */
const LARGEST_BYTES = 2 * MIB - 2 * 1024;

const dataConverter = providerDataConverter(TEST_ENCRYPTION_KEY, { accept: ['plaintext'] });
const stage = useAgentStage({ chain: true });
const kept = new Map<string, Payload>();
let plain: string;
let encrypted: string;
let withStorage: string;

const memory = {
  ...{ name: 'memory', type: 'memory' },
  store: async (_context: unknown, payloads: Payload[]) =>
    payloads.map((payload) => {
      const id = uniqueName('payload');
      kept.set(id, payload);
      return new StorageDriverClaim({ id });
    }),
  retrieve: async (_context: unknown, claims: StorageDriverClaim[]) =>
    claims.map(({ claimData }) => kept.get(claimData.id ?? '') as Payload),
};

beforeAll(async () => {
  const workflowsPath = fileURLToPath(new URL('workflows.ts', import.meta.url));
  const activities = {
    largest: async () => 'x'.repeat(LARGEST_BYTES),
    tooLarge: async () => 'x'.repeat(2 * MIB),
    tooLargeEncrypted: async () => 'x'.repeat(1.7 * MIB),
    failsLargely: async () => {
      throw new Error('x'.repeat(1000));
    },
  };
  const worker = async (dataConverter?: DataConverter) =>
    (await stage.startWorker({ workflowsPath, activities, dataConverter })).taskQueue;
  plain = await worker();
  encrypted = await worker(dataConverter);
  if (hasStorage) withStorage = await worker({ externalStorage: new ExternalStorage({ drivers: [memory] }) });
});

function call(name: string, taskQueue: string): Promise<WorkflowHandle<typeof callActivity>> {
  const options = { retry: { initialInterval: '10 milliseconds' } } as const;
  return stage.client.workflow.start<typeof callActivity>('callActivity', {
    ...{ taskQueue, workflowId: uniqueName('large'), args: [{ name, options }] },
  });
}

/** Reads logs of a chain, whose endpoint returns so many bytes and its own key. */
async function readLogs<Agent extends typeof readChain | typeof sizeOfRead>(
  name: 'readChain' | 'sizeOfRead',
  bytes: number,
  taskQueue: string,
): Promise<[workspaceId: string, key: string, agent: WorkflowHandle<Agent>]> {
  const workspaceId = newWorkspace();
  const key = await stage.addEndpoint(workspaceId, 'main');
  const result = ['x'.repeat(bytes), key];
  const body = { jsonrpc: '2.0', id: 1, result };
  const owner = `${workspaceId} main`;
  stage.chain.gateway.failNext({ status: 200, body, owner, bodyIncludes: 'eth_getLogs', times: 5 });
  const question = { workspaceId, chainId: stage.chain.chainId, method: 'eth_getLogs', params: [{}] };
  const agent = await stage.grants
    .clientFor(workspaceId)
    .workflow.start(name, { taskQueue, workflowId: uniqueName('logs'), args: [question] });
  return [workspaceId, key, agent as unknown as WorkflowHandle<Agent>];
}

describe('a result that a history cannot hold', () => {
  test('of a step ends it at once, with its size and what to do, and the service is asked once', async () => {
    const [workspaceId, , agent] = await readLogs<typeof readChain>('readChain', 3 * MIB, plain);
    expect(await failureOf(agent)).toMatchObject({
      type: 'ResultTooLarge',
      nonRetryable: true,
      message: expect.stringMatching(
        /^the result of rpcStep has 3\.0 MiB .* ask for less, or give .* external storage$/,
      ),
    });
    const reads = stage.chain.gateway.calls().filter(({ owner }) => owner === `${workspaceId} main`);
    expect(reads).toHaveLength(2); // the chain, and the logs
    expect(attemptsIn(await agent.fetchHistory()).at(-1)?.attempt).toBe(1);
  });

  test('of an activity of one’s own ends it at once too', async () => {
    expect(await failureOf(await call('tooLarge', plain))).toMatchObject({
      type: 'ResultTooLarge',
      message: expect.stringContaining('the result of tooLarge has 2.0 MiB'),
    });
  });

  test('because it is longer when it is encrypted ends it at once too', async () => {
    const { workflowId } = await call('tooLargeEncrypted', encrypted);
    const reader = new Client({ connection: stage.client.connection, dataConverter });
    expect(await failureOf(reader.workflow.getHandle(workflowId))).toMatchObject({ type: 'ResultTooLarge' });
    await (await call('tooLargeEncrypted', plain)).result();
  });

  test('is larger than 2 MiB: one just below it is returned', async () => {
    await (await call('largest', plain)).result();
  });
});

if (hasStorage) {
  describe('with external storage', () => {
    test('a large result of a step is returned, and what is stored has no secret in it', async () => {
      const [, key, agent] = await readLogs<typeof sizeOfRead>('sizeOfRead', 3 * MIB, withStorage);
      expect(await agent.result()).toBeGreaterThan(3 * MIB);
      const stored = [...kept.values()].map(({ data }) => Buffer.from(data ?? []).toString());
      expect(stored.some((text) => text.includes('[redacted]') && text.length > 3 * MIB)).toBe(true);
      expect(stored.filter((text) => text.includes(key))).toEqual([]);
    });

    test('a failure is stored as it is', async () => {
      const agent = await call('failsLargely', withStorage);
      await expect
        .poll(async () => (await agent.describe()).raw.pendingActivities?.[0]?.attempt ?? 0)
        .toBeGreaterThan(1);
      await agent.terminate();
    });
  });
}
