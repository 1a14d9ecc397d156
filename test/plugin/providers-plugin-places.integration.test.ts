/** The places in which Temporal takes plugins, and what else may be there, on a real Temporal. */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type ConnectionPlugin } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { SimplePlugin } from '@temporalio/plugin';
import {
  type ActivityInterceptorsFactory,
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { GrantSigner, WorkspaceGrants } from '../../src/client.js';
import { providerDataConverter, WorkspaceProviders } from '../../src/index.js';
import { family } from '../integration/granted-workflows.js';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { temporalAddress, uniqueName } from '../support/parts.js';

const workflowsPath = fileURLToPath(new URL('../integration/granted-workflows.ts', import.meta.url));
const workspaceId = newWorkspace();
const dataConverter = providerDataConverter(`test:${randomBytes(32).toString('base64')}`);

const stage = useAgentStage();
let providers: WorkspaceProviders;

beforeAll(async () => {
  await stage.addLlm(workspaceId);
});

beforeEach(async () => {
  providers = await WorkspaceProviders.connect(stage.config());
  return () => providers.close();
});

/** What the activity interceptors of others saw: each activity, once per interceptor. */
let seen: string[] = [];
const seeing =
  (name: string): ActivityInterceptorsFactory =>
  ({ info }) => ({
    inbound: {
      execute(input, next) {
        seen.push(`${name} ${info.activityType}`);
        return next(input);
      },
    },
  });

class OtherPlugin extends SimplePlugin {
  constructor(converter?: DataConverter) {
    super({
      name: 'other',
      activities: { another: async () => 'canary' },
      workerInterceptors: { activity: [seeing('other')] },
      ...(converter && { dataConverter: converter }),
    });
  }
}

interface Places {
  readonly worker?: Partial<WorkerOptions>;
  readonly onConnection?: SimplePlugin[];
  readonly onClient?: SimplePlugin[];
  readonly converter?: DataConverter;
}

/** Runs a workflow with its child on a worker. @returns the number of resolutions */
async function runFamily({ worker = {}, onConnection = [], onClient = [], converter }: Places): Promise<number> {
  seen = [];
  const taskQueue = uniqueName('places');
  const native = await NativeConnection.connect({ address: temporalAddress(), plugins: onConnection });
  onTestFinished(() => native.close());
  const plain = await Connection.connect({ address: temporalAddress(), plugins: onClient as ConnectionPlugin[] });
  onTestFinished(() => plain.close());
  const client = new Client({ connection: plain, plugins: onClient, ...(converter && { dataConverter: converter }) });
  const grants = new WorkspaceGrants(client, new GrantSigner(stage.grantKeys.signingKey));
  const { workflow } = grants.clientFor(workspaceId);
  const options = { connection: native, taskQueue, workflowsPath, ...worker };
  const running = await Worker.create(options);
  return running.runUntil(async () => {
    const workflowId = uniqueName('family');
    const workspaces = await workflow.execute(family, { taskQueue, workflowId, args: [1] });
    expect(workspaces).toEqual(Array(3).fill(workspaceId));
    return workspaces.length;
  });
}

describe('the plugin serves', () => {
  test('a worker that has it through its connection', async () => {
    await runFamily({ onConnection: [providers.plugin()] });
  });

  test('a worker that has it and whose connection and client have it too, once', async () => {
    const plugin = providers.plugin();
    const resolved = await runFamily({
      worker: { plugins: [plugin, new OtherPlugin()], interceptors: { activity: [seeing('own')] } },
      onConnection: [plugin, providers.plugin()],
      onClient: [plugin],
    });
    expect(seen.filter((each) => each === 'own resolveLlmKey')).toHaveLength(resolved);
    expect(seen.filter((each) => each === 'other resolveLlmKey')).toHaveLength(resolved);
  });

  test.each([
    ['before', () => [new OtherPlugin(dataConverter), providers.plugin()]],
    ['after', () => [providers.plugin(), new OtherPlugin(dataConverter)]],
  ])('a worker with a plugin %s it that encrypts payloads and adds activities', async (_, plugins) => {
    await runFamily({ worker: { plugins: plugins() }, converter: dataConverter });
    expect(seen).toContain('other resolveLlmKey');
  });

  test('a worker with a prebuilt bundle that was made with it', async () => {
    const logger = new DefaultLogger('ERROR');
    const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger, plugins: [providers.plugin()] });
    await runFamily({ worker: { workflowsPath: undefined, workflowBundle, plugins: [providers.plugin()] } });
  });

  test("a worker that ends at once, and the process's queue with it", async () => {
    const connection = await NativeConnection.connect({ address: temporalAddress() });
    onTestFinished(() => connection.close());
    const options = { connection, taskQueue: uniqueName('places'), plugins: [providers.plugin()] };
    const worker = await Worker.create(options);
    const running = worker.run();
    worker.shutdown();
    await running;
    expect(await stage.manager.listWorkers()).toEqual([]);
  });
});

describe('a worker is not created', () => {
  const create = (options: Partial<WorkerOptions>) => Worker.create({ taskQueue: uniqueName('places'), ...options });

  test.each([
    ['code', { code: 'no interceptors' }],
    ['path', { codePath: workflowsPath }],
  ])('with a prebuilt bundle that was made without the plugin, given as %s', async (_, workflowBundle) => {
    await expect(create({ workflowBundle, plugins: [providers.plugin()] })).rejects.toMatchObject({
      type: 'SetupInvalid',
      facts: { fields: ['workflowBundle'] },
      message: expect.stringContaining('bundleWorkflowCode({ plugins: [WorkspaceProviders.workflowPlugin()] })'),
    });
    const replay = () => WorkspaceProviders.workflowPlugin().configureReplayWorker({ workflowBundle });
    expect(replay).toThrow('workflowBundle was made without the plugin');
  });

  test('with providers whose last worker has ended', async () => {
    const plugin = providers.plugin();
    await providers.close();
    await expect(create({ plugins: [plugin] })).rejects.toMatchObject({
      type: 'SetupInvalid',
      message: expect.stringContaining('call WorkspaceProviders.connect() again'),
    });
  });

  test("with an activity, or two plugins, whose activities' names clash", async () => {
    const activities = { resolveLlmKey: async () => {} };
    await expect(create({ activities, plugins: [providers.plugin()] })).rejects.toThrow(
      'activities.resolveLlmKey has the name of an activity of WorkspaceProviders',
    );
    const others = await WorkspaceProviders.connect(stage.config());
    onTestFinished(() => others.close());
    await expect(create({ plugins: [providers.plugin(), others.plugin()] })).rejects.toThrow(
      'one plugin instead of two',
    );
  });
});
