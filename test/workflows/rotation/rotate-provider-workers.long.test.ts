/** Rotations with several workers: which ones hold a credential, which answer, and which versions agents use. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RotateInput } from '../../../src/client/rotation-client.js';
import type { ProviderOptions } from '../../../src/config/resolver-config.js';
import type { ProviderIdentity } from '../../../src/protocol/references.js';
import type { RotationStatus } from '../../../src/protocol/rotation.js';
import { LOOPBACK_ENV } from '../../../testbed/loopback.js';
import { kill } from '../../faults/parts/signals.js';
import { attemptsIn } from '../../integration/history.js';
import { newWorkspace, type StageWorker, UNFENCED } from '../../support/agent-stage.js';
import { withSession } from '../../support/database.js';
import { temporalAddress, uniqueName } from '../../support/parts.js';
import { useRotationStage } from '../../support/rotation-stage.js';
import { askInTurns, askModel, askSleepAsk, goOn } from './workflows.js';

const WORKER = fileURLToPath(new URL('../../../dist/worker.js', import.meta.url));

/** So long that no worker learns of a change by a renewal: only by a notification or on its own task queue. */
const LONG_LEASE = '1h';

const stage = useRotationStage({ config: { lease: LONG_LEASE } });
/** Also runs the agents. */
let listening: StageWorker;
/** Workers that do not receive notifications. */
let deaf: readonly StageWorker[];
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  globalThis.AI_SDK_LOG_WARNINGS = false;
  const workflowsPath = fileURLToPath(new URL('workflows.ts', import.meta.url));
  listening = await stage.startWorker({ workflowsPath, config: { lease: LONG_LEASE } });
  const config: ProviderOptions = { lease: LONG_LEASE, listenDatabaseUrl: 'off' };
  deaf = await Promise.all([stage.startWorker({ config }), stage.startWorker({ config })]);
});
afterAll(async () => {
  for (let next = stops.pop(); next; next = stops.pop()) await next();
});

const everybody = (): StageWorker[] => [stage.worker, listening, ...deaf];

/** An agent whose one step waits at the service. */
async function askHeld(workspaceId: string, taskQueue = listening.taskQueue, more: { status?: number } = {}) {
  const { llm } = stage;
  const match = { owner: workspaceId, bodyIncludes: workspaceId };
  if (more.status) llm.failNext({ ...match, status: more.status });
  const hold = llm.holdNext(match);
  const prompt = `What does ${workspaceId} want?`;
  const agent = await stage.grants.clientFor(workspaceId).workflow.start(askModel, {
    workflowId: uniqueName('agent'),
    taskQueue: listening.taskQueue,
    args: [{ workspaceId, prompt, stepOptions: { taskQueue } }],
  });
  await hold.arrived;
  return { agent, release: hold.release };
}

async function until(provider: ProviderIdentity, isSo: (status: RotationStatus) => unknown): Promise<RotationStatus> {
  return vi.waitFor(
    async () => {
      const status = await stage.rotations.status(provider);
      expect(isSo(status), JSON.stringify(status)).toBeTruthy();
      return status;
    },
    { timeout: 30_000 },
  );
}

function rotate(provider: ProviderIdentity, more: Partial<RotateInput> = {}) {
  return stage.rotations.rotate({ ...provider, secret: { apiKey: stage.admittedKey(provider.workspaceId) }, ...more });
}

describe('a drain', () => {
  test('names the worker whose step holds the older credential, and for how long, until that step ends', async () => {
    const { provider } = await stage.addAnthropic(newWorkspace());
    const { agent, release } = await askHeld(provider.workspaceId);
    const handle = await rotate(provider);
    const first = await until(provider, ({ drain }) => drain?.drained === false);
    const { workerId } = listening.providers;
    const held = [{ version: 1, count: 1, longestMs: expect.any(Number) }];
    expect(first.drain?.holders).toEqual([expect.objectContaining({ workerId, held })]);
    const longest = ({ drain }: RotationStatus) => drain?.holders[0]?.held[0]?.longestMs ?? 0;
    const later = await until(provider, (status) => longest(status) > longest(first));
    expect(later).toMatchObject({ state: 'fenced', drain: { drained: false } });
    release();
    expect(await handle.result()).toMatchObject({ state: 'drained', drain: { drained: true, holders: [] } });
    expect(await agent.result()).toMatchObject({ provider: { version: 1 } });
  });

  test('that reaches its limit is not reported as drained, and the older credential is revoked anyway [G16]', async () => {
    const { provider } = await stage.addAnthropic(newWorkspace());
    const { agent, release } = await askHeld(provider.workspaceId);
    const handle = await rotate(provider, { drainLimit: '500ms' });
    const { workerId } = listening.providers;
    expect(await handle.result()).toMatchObject({
      state: 'fenced',
      drain: { drained: false, holders: [{ workerId, held: [{ version: 1, count: 1 }] }] },
      revocation: { outcome: 'by-hand' },
    });
    expect(await stage.rotationRows(provider.workspaceId)).toMatchObject([{ state: 'fenced', ended: true, sealed: 0 }]);
    release();
    await agent.result();
  });

  test('counts a read that began before the change and may return after it', async () => {
    const { provider } = await stage.addAnthropic(newWorkspace());
    const { resolver } = stage.worker.providers;
    const reference = await resolver.resolveLlmKey({ workspaceId: provider.workspaceId, provider: 'anthropic' });
    let answer = () => {};
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const step = resolver.withProvider(reference, async ({ reveal, use }) => {
      resolver.parts.cache.clear();
      const read = vi.spyOn(resolver.parts.cache, 'read').mockImplementationOnce(async (...args) => {
        read.mockRestore();
        const before = await resolver.parts.cache.read(...args);
        await answered;
        return before;
      });
      await reveal();
      return use.version;
    });
    const handle = await rotate(provider);
    const { drain } = await until(provider, (status) => status.drain?.drained === false);
    expect(drain?.holders).toMatchObject([{ workerId: stage.worker.providers.workerId, held: [{ version: 1 }] }]);
    answer();
    expect(await step).toBe(1);
    expect(await handle.result()).toMatchObject({ state: 'drained' });
  });

  test('does not wait for a worker that shut down gracefully', async () => {
    const { provider } = await stage.addAnthropic(newWorkspace());
    const other = await stage.connect({ longestStep: '24h' });
    const reference = await other.resolver.resolveLlmKey({ workspaceId: provider.workspaceId, provider: 'anthropic' });
    await other.resolver.withProvider(reference, async () => {});
    await other.close();
    const { fence, drain } = await (await rotate(provider)).result();
    expect(fence?.workers.map(({ workerId }) => workerId)).not.toContain(other.workerId);
    expect(drain).toMatchObject({ drained: true });
  });
});

describe('a worker whose slots are all taken by slow steps', () => {
  test('still answers a fence and a drain [G23]', async () => {
    const { provider } = await stage.addAnthropic(newWorkspace());
    // It has no notifications and a long lease, so a fence that ends was answered on its own task queue.
    const providers = await stage.connect({ lease: LONG_LEASE, listenDatabaseUrl: 'off' });
    const connection = await NativeConnection.connect({ address: temporalAddress() });
    const taskQueue = uniqueName('saturated');
    const slots = { maxConcurrentActivityTaskExecutions: 2 };
    const worker = await Worker.create({ connection, taskQueue, plugins: [providers.plugin()], ...slots });
    const running = worker.run();
    const ask = () => askHeld(provider.workspaceId, taskQueue);
    const holds = [await ask(), await ask()];
    const handle = await rotate(provider);
    const { fence, drain } = await until(provider, (status) => status.drain?.drained === false);
    expect(fence?.workers).toContainEqual(
      expect.objectContaining({ workerId: providers.workerId, outcome: 'applied' }),
    );
    expect(drain?.holders).toMatchObject([{ workerId: providers.workerId, held: [{ version: 1, count: 2 }] }]);
    for (const { release } of holds) release();
    await Promise.all(holds.map(({ agent }) => agent.result()));
    expect(await handle.result()).toMatchObject({ state: 'drained' });
    worker.shutdown();
    await running;
    await providers.close();
    await connection.close();
  });
});

test('a change by psql reaches a listening worker at once, and the others by the fence, long before their leases end', async () => {
  const { provider } = await stage.addAnthropic(newWorkspace());
  const resolve = ({ providers }: StageWorker) =>
    providers.resolver
      .resolveLlmKey({ workspaceId: provider.workspaceId, provider: 'anthropic' })
      .then(({ version }) => version);
  expect(await Promise.all(everybody().map(resolve))).toEqual([1, 1, 1, 1]);
  await withSession(stage.database.ownerUrl, (session) =>
    session.query('update workspace_providers set config = config || \'{"model":"other"}\' where workspace_id = $1', [
      provider.workspaceId,
    ]),
  );
  await vi.waitFor(
    async () => expect(await Promise.all([stage.worker, listening].map(resolve))).toEqual([2, 2]),
    5_000,
  );
  expect(await Promise.all(deaf.map(resolve))).toEqual([1, 1]);
  const { fence } = await (await rotate(provider)).result();
  expect(fence?.workers.map(({ outcome }) => outcome)).toEqual(everybody().map(() => 'applied'));
  expect(await Promise.all(everybody().map(resolve))).toEqual([3, 3, 3, 3]);
  expect(fence?.tookMs).toBeLessThan(20 * 60_000);
});

describe('an agent', () => {
  test('whose step is refused because its key was rotated and revoked completes without a retry by Temporal', async () => {
    const workspaceId = newWorkspace();
    const { provider, apiKey: older } = await stage.addAnthropic(workspaceId);
    const { agent, release } = await askHeld(workspaceId, listening.taskQueue, { status: 401 });
    const handle = await rotate(provider, { drainLimit: '500ms' });
    await handle.result();
    stage.llm.revoke(older);
    release();
    expect(await agent.result()).toMatchObject({ ref: { version: 1 }, provider: { version: 2 } });
    const history = await agent.fetchHistory();
    expect(attemptsIn(history).map(({ attempt }) => attempt)).toEqual([1, 1]);
    const { llm } = stage;
    const steps = llm.calls().filter(({ owner, method }) => owner === workspaceId && method === 'POST');
    expect(steps.map(({ status }) => status)).toEqual([401, 200]);
  });

  test('that sleeps through three rotations opens the newest credential', async () => {
    const workspaceId = newWorkspace();
    const { provider, apiKey: oldest } = await stage.addAnthropic(workspaceId);
    const agent = await stage.grants.clientFor(workspaceId).workflow.start(askSleepAsk, {
      workflowId: uniqueName('agent'),
      taskQueue: listening.taskQueue,
      args: [{ workspaceId, prompt: `What does ${workspaceId} want?` }],
    });
    let older = oldest;
    for (let rotation = 0; rotation < 3; rotation += 1) {
      const apiKey = stage.admittedKey(workspaceId);
      await (await stage.rotations.rotate({ ...provider, secret: { apiKey } })).result();
      stage.llm.revoke(older);
      older = apiKey;
    }
    await agent.signal(goOn);
    const [, second] = await agent.result();
    expect(second).toMatchObject({ provider: { version: 4 } });
  });

  test('never goes back to an older version, even on a worker that has not learned of the newer one', async () => {
    const workspaceId = newWorkspace();
    const { provider } = await stage.addAnthropic(workspaceId);
    const hold = stage.llm.holdNext({ owner: workspaceId, bodyIncludes: workspaceId });
    const agent = await stage.grants.clientFor(workspaceId).workflow.start(askInTurns, {
      workflowId: uniqueName('agent'),
      taskQueue: listening.taskQueue,
      args: [{ workspaceId, taskQueues: [...deaf, listening].map(({ taskQueue }) => taskQueue), untilVersion: 3 }],
    });
    await hold.arrived;
    const cached = deaf.map(({ providers }) =>
      providers.resolver.resolveLlmKey({ workspaceId: workspaceId, provider: 'anthropic' }),
    );
    expect(await Promise.all(cached)).toMatchObject([{ version: 1 }, { version: 1 }]);
    await stage.manager.updateProvider({ ...provider, config: { model: 'claude-haiku-4-5' } }, UNFENCED);
    await vi.waitFor(async () => {
      const { version } = await listening.providers.resolver.resolveLlmKey({
        workspaceId: workspaceId,
        provider: 'anthropic',
      });
      expect(version).toBe(2);
    });
    hold.release();
    await (await rotate(provider)).result();
    const versions = await agent.result();
    expect(versions[0]).toBe(1);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  });
});

describe('a worker process that is killed in a step', () => {
  test('counts as a holder until its longest possible step would have ended', async () => {
    const { provider } = await stage.addAnthropic(newWorkspace());
    // The janitor beside the worker of rotations forgets the killed one once its longest step would have ended.
    const taskQueue = uniqueName('doomed');
    const doomed = startProcess(taskQueue);
    await once(doomed.stdout as NonNullable<ChildProcess['stdout']>, 'data');
    const { agent, release } = await askHeld(provider.workspaceId, taskQueue);
    await kill(doomed.pid as number);
    const handle = await rotate(provider);
    const { drain } = await until(provider, (status) => status.drain?.drained === false);
    expect(drain?.holders).toMatchObject([{ identity: taskQueue, held: [] }]);
    const result = await handle.result();
    expect(result).toMatchObject({ state: 'drained', drain: { drained: true } });
    expect(result.fence?.workers).toContainEqual(expect.objectContaining({ identity: taskQueue }));
    const present = (await stage.manager.listWorkers()).map(({ identity }) => identity);
    expect(present).not.toContain(taskQueue);
    release();
    await agent.terminate();
  });
});

function startProcess(taskQueue: string): ChildProcess {
  const { PATH = '', HOME = '' } = process.env;
  const env = {
    PATH,
    HOME,
    ...LOOPBACK_ENV,
    DATABASE_URL: stage.database.resolverUrl,
    ENCRYPTION_KEY: stage.encryptionKey,
    ...stage.grantKeys.workerEnv,
    TEMPORAL_ADDRESS: temporalAddress(),
    PROVIDER_TASK_QUEUE: taskQueue,
    PROVIDER_WORKER_IDENTITY: taskQueue,
    PROVIDER_CACHE_LEASE: '1s',
    PROVIDER_LONGEST_STEP: '2s',
  };
  const child = spawn(process.execPath, [WORKER], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  stops.push(() => kill(child.pid as number));
  return child;
}
