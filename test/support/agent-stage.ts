/**
 * The stage of agents in tests: a database, stand-ins of the services, and workers in this process on the Temporal server
 * that the run shares. Each test takes its own workspace, so the tests of a file share a stage. What the stage opens, it
 * closes: dropping the database fails if a connection is left open.
 */
import { randomUUID } from 'node:crypto';
import type { DataConverter } from '@temporalio/common';
import {
  DefaultLogger,
  type LogEntry,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import type { ProviderOptions } from '../../src/config/resolver-config.js';
import { NO_GRANTS } from '../../src/grants/policy.js';
import { WorkspaceProviders } from '../../src/plugin/workspace-providers.js';
import type { OwnTypes } from '../../src/providers/credentials.js';
import type { LlmProvider } from '../../src/testing/services/wire-format.js';
import { type Chain, startChain } from '../../testbed/chain.js';
import { LOOPBACK } from '../../testbed/loopback.js';
import { openStage, type Stage } from '../../testbed/stage.js';
import { type LlmStandIn, type LlmStandInOptions, startLlmStandIn } from '../../testbed/standins/llm.js';
import type { Teardown } from '../../testbed/teardown.js';
import { createStageDatabase, type TestDatabase } from './database.js';
import { temporalAddress, uniqueName } from './parts.js';
import { useStage } from './use-stage.js';

/** Anvil's first account, well known and funded. */
export const FUNDED_ADDRESS = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266';

/** Long: what a test expects to be cached is cached on a slow machine too. */
const LEASE = '10m';

/** Workers of a stage may be deaf and keep their lease for the whole test: what is new to a workspace needs no fence. */
export const UNFENCED = { fence: false } as const;

/** Known to the AI SDK, which warns about models that are not. */
const MODELS: Readonly<Record<LlmProvider, string>> = {
  anthropic: 'claude-sonnet-5-5',
  openai: 'gpt-5-mini',
  gemini: 'gemini-2.5-flash',
  'openai-compatible': 'local-1',
};

export interface AgentStageOptions {
  /** What the models answer. Default: what the address agent needs to go on, a plan or a sentence. */
  readonly answer?: LlmStandInOptions['answer'];
  /** Whether to start an Ethereum node with a gateway and Tenderly before it. Default: false. */
  readonly chain?: boolean;
  /** Default: the server that all test files share. */
  readonly postgresUrl?: string;
  /** The task queue of rotations. Default: the package's own, which nobody serves. */
  readonly operationsTaskQueue?: string;
  /** Provider types beside those of the package. Default: none. */
  readonly types?: OwnTypes;
}

export interface StageWorkerOptions {
  /** Absent: a worker of activities only, which needs no bundle. */
  readonly workflowsPath?: string;
  /** Besides those of the plugin. */
  readonly activities?: object;
  /** Default: none, which leaves payloads as they are. */
  readonly dataConverter?: DataConverter;
  /** What differs from the stage's own settings. */
  readonly config?: ProviderOptions;
  /** The address of Temporal. Default: the server that all test files share. */
  readonly address?: string;
  /** Default: a new one. */
  readonly taskQueue?: string;
}

export interface StageWorker {
  readonly taskQueue: string;
  readonly providers: WorkspaceProviders;
}

export interface AgentStage extends Stage, StageProviders {
  readonly database: TestDatabase;
  /** What Temporal's SDK and its core logged in this process. */
  readonly logged: LogEntry[];
  /** The options of a worker of this stage. */
  config(change?: ProviderOptions): ProviderOptions;
  /** For activities that are run without a worker, and so without a workflow that carries a grant. */
  connect(change?: ProviderOptions): Promise<WorkspaceProviders>;
  /** Starts a worker that runs until the end, on Temporal's real server. */
  startWorker(options?: StageWorkerOptions): Promise<StageWorker>;
}

export const useAgentStage = (options?: AgentStageOptions): AgentStage =>
  useStage((teardown) => agentStage(teardown, options));

export async function agentStage(teardown: Teardown, options: AgentStageOptions = {}): Promise<AgentStage> {
  const { answer = planOrSentence, chain = false, postgresUrl, operationsTaskQueue, types } = options;
  const database = await createStageDatabase(teardown, postgresUrl);
  const logged = captureLogs();
  const shared = {
    database,
    temporalAddress: temporalAddress(),
    operator: 'a test',
    operationsTaskQueue,
    types,
    teardown,
  };
  const stage = await openStage(shared);
  const llm = await teardown.use(startLlmStandIn({ keys: [], answer, ownerOfPrompt: workspaceIn }));

  const listenDatabaseUrl = database.settings.PROVIDER_LISTEN_DATABASE_URL;
  const config = (change: ProviderOptions = {}): ProviderOptions => ({
    ...{ databaseUrl: database.resolverUrl, ...database.store, ...(listenDatabaseUrl && { listenDatabaseUrl }) },
    ...{ rootKeys: stage.encryptionKey, grantKeys: stage.grantKeys.keySet, egress: LOOPBACK, lease: LEASE, env: {} },
    ...(types && { types }),
    ...change,
  });
  const connect = async (change?: ProviderOptions) => {
    const providers = await WorkspaceProviders.connect(config(change));
    teardown.defer(() => providers.close());
    return providers;
  };
  return {
    ...{ ...stage, ...stageProviders(stage, llm, chain ? await startChain(teardown) : undefined) },
    ...{ database, logged, config },
    connect: (change) => connect({ grants: NO_GRANTS, ...change }),
    async startWorker({ address = temporalAddress(), taskQueue = uniqueName('agents'), ...worker } = {}) {
      const { workflowsPath, activities, dataConverter } = worker;
      const providers = await connect(worker.config);
      const connection = await NativeConnection.connect({ address });
      teardown.defer(() => connection.close());
      const plugins = [providers.plugin()];
      const options = { connection, taskQueue, workflowsPath, activities, dataConverter, plugins };
      runWorker(await Worker.create(options), teardown);
      return { taskQueue, providers };
    },
  };
}

/** Runs the worker until the end. */
export function runWorker(worker: Worker, teardown: Teardown): void {
  const running = worker.run();
  teardown.defer(async () => {
    worker.shutdown();
    await running;
  });
}

/** The services of a stage, and the providers that its workspaces have there. */
export interface StageProviders {
  readonly llm: LlmStandIn;
  /** Absent unless it was asked for. */
  readonly chain: Chain;
  /** A key that is not a real one, with characters that an encoding would change. */
  newKey(of: string): string;
  /** A key that the service accepts. */
  admittedKey(workspaceId: string, service?: LlmProvider): string;
  /** Stores a key for an LLM service, which accepts it. The OpenAI-compatible one is `local-model`. */
  addLlm(
    workspaceId: string,
    service?: LlmProvider,
    options?: { readonly admitted?: boolean; readonly config?: object },
  ): Promise<string>;
  addTenderly(workspaceId: string): Promise<string>;
  /** Stores an endpoint; its key is in the path. */
  addEndpoint(
    workspaceId: string,
    name: string,
    options?: { chainId?: number; priority?: number; admitted?: boolean; url?: string },
  ): Promise<string>;
}

function stageProviders({ secrets, manager }: Stage, llm: LlmStandIn, started: Chain | undefined): StageProviders {
  const chain = started as Chain;
  const newKey = (of: string) => {
    const key = `canary/${of}+${randomUUID()}`;
    secrets.push(key);
    return key;
  };
  const admittedKey = (workspaceId: string, service: LlmProvider = 'anthropic') => {
    const key = newKey(service);
    llm.admit({ provider: service, key, owner: workspaceId });
    return key;
  };
  return {
    ...{ llm, chain, newKey, admittedKey },
    async addLlm(workspaceId, service = 'anthropic', { admitted = true, config = {} } = {}) {
      const apiKey = admitted ? admittedKey(workspaceId, service) : newKey(service);
      const name = service === 'openai-compatible' ? 'local-model' : service;
      const all = { baseURL: llm.baseUrls[service].sdk, model: MODELS[service], ...config };
      await manager.configureProvider({ workspaceId, type: 'llm', name, config: all, secret: { apiKey } }, UNFENCED);
      return apiKey;
    },
    async addTenderly(workspaceId) {
      const { url, admit } = chain.tenderly;
      const accessKey = newKey('tenderly');
      admit({ account: workspaceId, project: 'agents', accessKey, owner: workspaceId });
      const provider = { workspaceId, type: 'tenderly', name: 'default' };
      const config = { account: workspaceId, project: 'agents', baseURL: url };
      await manager.configureProvider({ ...provider, config, secret: { accessKey } }, UNFENCED);
      return accessKey;
    },
    async addEndpoint(workspaceId, name, options = {}) {
      const { chainId = chain.chainId, priority = 100, admitted = true, url = chain.gateway.url } = options;
      const key = newKey(`rpc-${name}`).replace(/[/+]/g, '-');
      secrets.push(key);
      if (admitted) chain.gateway.admit({ key, owner: `${workspaceId} ${name}` });
      const secret = { url: `${url}/v2/${key}` };
      const provider = { workspaceId, type: 'rpc', name, config: { chainId, priority } };
      await manager.configureProvider({ ...provider, secret }, UNFENCED);
      return key;
    },
  };
}

function captureLogs(): LogEntry[] {
  const logged: LogEntry[] = [];
  Runtime.install({
    logger: new DefaultLogger('DEBUG', (entry) => logged.push(entry)),
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'INFO', other: 'WARN' }) },
    },
    shutdownSignals: [],
  });
  return logged;
}

const planOrSentence: LlmStandInOptions['answer'] = ({ wantsJson }) =>
  wantsJson ? JSON.stringify({ transferWei: '1000000000000000000' }) : 'The address can pay.';

/** The workspace that a prompt is for: prompts of these tests name it. */
function workspaceIn(prompt: string): string | undefined {
  return /\bws_[\w-]+/.exec(prompt)?.[0];
}

export const newWorkspace = (): string => uniqueName('ws_test');
