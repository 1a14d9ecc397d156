/** The plugin in bundles and in replays: workflows with a grant, their children, on a real Temporal. */
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { SimplePlugin } from '@temporalio/plugin';
import type { temporal } from '@temporalio/proto';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker, type WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WorkspaceGrants } from '../../src/client.js';
import { GrantSigner } from '../../src/grants/grant-signer.js';
import { WorkspaceProviders } from '../../src/index.js';
import { family, generations } from '../integration/granted-workflows.js';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { temporalAddress, uniqueName } from '../support/parts.js';

const workflowsPath = fileURLToPath(new URL('../integration/granted-workflows.ts', import.meta.url));
const logger = new DefaultLogger('ERROR');
const workspaceId = newWorkspace();
const taskQueue = uniqueName('replayed');

type History = temporal.api.history.v1.IHistory;

const stage = useAgentStage();
let connection: Connection;
let client: Client;
let workflowBundle: WorkflowBundle;
let stopWorker: () => Promise<void>;

beforeAll(async () => {
  await stage.addLlm(workspaceId);
  connection = await Connection.connect({ address: temporalAddress() });
  client = new WorkspaceGrants(new Client({ connection }), new GrantSigner(stage.grantKeys.signingKey)).clientFor(
    workspaceId,
  );
  workflowBundle = await bundleWorkflowCode({ workflowsPath, logger, plugins: [WorkspaceProviders.workflowPlugin()] });
  const providers = await WorkspaceProviders.connect(stage.config());
  const native = await NativeConnection.connect({ address: temporalAddress() });
  const plugins = [providers.plugin()];
  const worker = await Worker.create({ connection: native, taskQueue, workflowBundle, plugins });
  const running = worker.run();
  stopWorker = async () => {
    worker.shutdown();
    await running;
    await native.close();
  };
});

afterAll(async () => {
  await stopWorker?.();
  await connection?.close();
});

/** The history of a run, and those of all its children and of the runs that continue it. */
async function historiesUnder(workflowId: string, runId?: string | null): Promise<History[]> {
  const history: History = await client.workflow.getHandle(workflowId, runId ?? undefined).fetchHistory();
  const histories = [history];
  for (const event of history.events ?? []) {
    const { workflowExecution: child } = event.childWorkflowExecutionStartedEventAttributes ?? {};
    if (child) histories.push(...(await historiesUnder(child.workflowId ?? '', child.runId)));
    const { newExecutionRunId: next } = event.workflowExecutionContinuedAsNewEventAttributes ?? {};
    if (next) histories.push(...(await historiesUnder(workflowId, next)));
  }
  return histories;
}

async function replays(history: History): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle, plugins: [WorkspaceProviders.workflowPlugin()] }, history);
}

describe('a replay with only the plugin, without the workflow id, finds the children of', () => {
  test('a workflow, its children, their children, and the runs that continue it', async () => {
    const workflowId = uniqueName('generations');
    const handle = await client.workflow.start(generations, { taskQueue, workflowId, args: [1] });
    expect(await handle.result()).toBe(Array(4).fill(workspaceId).join(' '));
    const histories = await historiesUnder(workflowId, handle.firstExecutionRunId);
    expect(histories).toHaveLength(2 * 5);
    for (const history of histories) await replays(history);
    const ids = histories.map(({ events }) => events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? '');
    expect(ids.every((id) => id === workflowId || id.startsWith(`${workflowId}/`))).toBe(true);
  });

  test('a run of a schedule, whose id has the time', async () => {
    const action = {
      type: 'startWorkflow',
      workflowType: generations,
      taskQueue,
      workflowId: uniqueName('due'),
    } as const;
    const schedule = await client.schedule.create({ scheduleId: uniqueName('due'), spec: {}, action });
    try {
      await schedule.trigger();
      const started = await vi.waitUntil(async () => (await schedule.describe()).info.recentActions[0]?.action, {
        timeout: 30_000,
      });
      const { workflowId, firstExecutionRunId } = started.workflow;
      await client.workflow.getHandle(workflowId).result();
      const histories = await historiesUnder(workflowId, firstExecutionRunId);
      expect(histories).toHaveLength(2 * 5);
      for (const history of histories) await replays(history);
    } finally {
      await schedule.delete();
    }
  });

  test('a workflow whose code the replay bundles itself, and whose id is given', async () => {
    const workflowId = uniqueName('family');
    await client.workflow.execute(family, { taskQueue, workflowId, args: [1] });
    const [history = {}] = await historiesUnder(workflowId);
    const plugins = [WorkspaceProviders.workflowPlugin()];
    await Worker.runReplayHistory({ workflowsPath, plugins }, history);
    const replayed = Worker.runReplayHistories({ workflowsPath, plugins }, [{ workflowId, history }]);
    for await (const { error } of replayed) expect(error).toBeUndefined();
    const without = await bundleWorkflowCode({ workflowsPath, logger });
    await expect(Worker.runReplayHistory({ workflowBundle: without }, history)).rejects.toThrow(/workflow id/);
  });
});

describe('a bundle', () => {
  test('gets the interceptors once, before its own and whatever else adds them', async () => {
    const other = new (class extends SimplePlugin {})({
      name: 'other',
      workerInterceptors: { workflowModules: ['b'] },
    });
    const configure = (...plugins: SimplePlugin[]) =>
      plugins.reduce((options, plugin) => plugin.configureBundler(options), {
        workflowsPath,
        workflowInterceptorModules: ['a'],
      } as Parameters<SimplePlugin['configureBundler']>[0]).workflowInterceptorModules;
    const ours = () => WorkspaceProviders.workflowPlugin();
    const modules = [expect.stringMatching(/grant-interceptors/), 'a', 'b'];
    expect(configure(ours(), other, ours())).toEqual(modules);
    expect(configure(other)).toEqual(['a', 'b']);
  });
});
