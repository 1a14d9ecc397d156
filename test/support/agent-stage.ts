/**
 * What an agent needs around it, for one test file: a database of its own, stand-ins of the services, and workers in
 * this process on the Temporal server that the run shares. Each test takes a workspace of its own, so tests of a file
 * share the stage. Everything that the stage opens it closes: dropping the database fails on a connection left open.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import {
  DefaultLogger,
  type LogEntry,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import { WorkspaceGrants } from '../../src/client/workspace-grants.js';
import type { ProviderOptions } from '../../src/config/resolver-config.js';
import { GrantSigner } from '../../src/grants/grant-signer.js';
import { NO_GRANTS } from '../../src/grants/policy.js';
import { ProviderClient } from '../../src/management.js';
import { WorkspaceProviders } from '../../src/plugin/workspace-providers.js';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import { startAnvil } from '../../testbed/anvil.js';
import { type LlmStandIn, type LlmStandInOptions, startLlmStandIn } from '../../testbed/standins/llm.js';
import { type RpcGateway, startRpcGateway } from '../../testbed/standins/rpc-gateway.js';
import { startTenderlyStandIn, type TenderlyStandIn } from '../../testbed/standins/tenderly.js';
import type { LlmProvider } from '../../testbed/standins/wire-format.js';
import { createStageDatabase, type TestDatabase } from './database.js';
import { LOOPBACK, LOOPBACK_POLICY } from './egress.js';
import { newGrantKeys, type TestGrantKeys } from './grants.js';
import { temporalAddress, uniqueName } from './parts.js';

/** Anvil's first account, well known and funded. */
export const FUNDED_ADDRESS = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266';

/** Long: what a test expects to be cached is, also on a slow machine. */
const LEASE = '10m';

/** Workers of a stage may be deaf, and keep their lease for the whole test: what is new to a workspace needs no fence. */
export const UNFENCED = { fence: false } as const;

/** Known to the AI SDK, which warns of those that are not. */
const MODELS: Readonly<Record<LlmProvider, string>> = {
  anthropic: 'claude-sonnet-5-5',
  openai: 'gpt-5-mini',
  gemini: 'gemini-2.5-flash',
  'openai-compatible': 'local-1',
};

export interface StageOptions {
  /** What the models say. Default: what the address agent needs to go on, a plan or a sentence. */
  readonly answer?: LlmStandInOptions['answer'];
  /** An Ethereum node with a gateway and Tenderly before it. Default false: it takes most of a second to start. */
  readonly chain?: boolean;
  /** Default: the server that all test files share. */
  readonly postgresUrl?: string;
}

export interface StageWorkerOptions {
  /** Absent: a worker of activities alone, which needs no bundle. */
  readonly workflowsPath?: string;
  /** Beside those of the plugin. */
  readonly activities?: object;
  /** What differs from the stage's own settings. */
  readonly config?: ProviderOptions;
  /** Of Temporal. Default: the server that all test files share. */
  readonly address?: string;
  /** Default: one of its own. */
  readonly taskQueue?: string;
}

export interface StageWorker {
  readonly taskQueue: string;
  readonly providers: WorkspaceProviders;
}

export interface Chain {
  readonly chainId: number;
  readonly gateway: RpcGateway;
  readonly tenderly: TenderlyStandIn;
}

export class AgentStage {
  /** Every secret of this stage, in the clear: what must stand in no history and no log. */
  readonly secrets: string[] = [];
  /** What Temporal's SDK and its core logged in this process. */
  readonly logged: LogEntry[] = [];
  readonly #rootKey = randomBytes(32).toString('base64');
  readonly #stops: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly database: TestDatabase,
    /** Whose workflows carry no grant. */
    readonly client: Client,
    readonly grantKeys: TestGrantKeys,
    readonly llm: LlmStandIn,
    private readonly chainParts: Chain | undefined,
  ) {
    Runtime.install({
      logger: new DefaultLogger('DEBUG', (entry) => this.logged.push(entry)),
      telemetryOptions: {
        logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'INFO', other: 'WARN' }) },
      },
      shutdownSignals: [],
    });
    this.secrets.push(
      this.#rootKey,
      grantKeys.signingSecret,
      ...[database.resolverUrl, database.managerUrl].map((url) => new URL(url).password),
    );
    this.manager = this.managerWith(this.#rootKey);
  }

  /** Configures providers, as a settings page would. */
  readonly manager: ProviderClient;

  static async set({ answer = planOrSentence, chain = false, postgresUrl }: StageOptions = {}): Promise<AgentStage> {
    const database = await createStageDatabase(postgresUrl);
    const connection = await Connection.connect({ address: temporalAddress() });
    const llm = await startLlmStandIn({ keys: [], answer, ownerOfPrompt: workspaceIn });
    const parts = chain ? await startChain() : undefined;
    const stage = new AgentStage(database, new Client({ connection }), await newGrantKeys(), llm, parts);
    stage.#stops.unshift(
      () => database.drop(),
      () => connection.close(),
      () => llm.stop(),
      async () => parts?.stop(),
    );
    return stage;
  }

  /** Ends all that was started, last things first. */
  async strike(): Promise<void> {
    for (let next = this.#stops.pop(); next; next = this.#stops.pop()) await next();
  }

  get chain(): Chain {
    if (!this.chainParts) throw new Error('this stage was set without a chain');
    return this.chainParts;
  }

  /** As the environment has it, for a worker that is a process of its own. */
  get encryptionKey(): string {
    return `stage:${this.#rootKey}`;
  }

  /** A client whose workflows may use the workspace's providers. */
  clientFor(workspaceId: string): Client {
    return this.grants.clientFor(workspaceId);
  }

  get grants(): WorkspaceGrants {
    return new WorkspaceGrants(this.client, new GrantSigner(this.grantKeys.signingKey));
  }

  /** The settings of a worker of this stage. */
  config(change: ProviderOptions = {}): ProviderOptions {
    return {
      databaseUrl: this.database.resolverUrl,
      ...this.database.store,
      ...(this.database.listenUrl && { listenDatabaseUrl: this.database.listenUrl }),
      rootKeys: this.encryptionKey,
      grantKeys: this.grantKeys.keySet,
      lease: LEASE,
      egress: LOOPBACK,
      env: {},
      ...change,
    };
  }

  /** For activities that are run without a worker, and so without a workflow that carries a grant. */
  connect(change?: ProviderOptions): Promise<WorkspaceProviders> {
    return this.#connect({ grants: NO_GRANTS, ...change });
  }

  async #connect(change?: ProviderOptions): Promise<WorkspaceProviders> {
    const providers = await WorkspaceProviders.connect(this.config(change));
    this.#stops.push(() => providers.close());
    return providers;
  }

  /** A worker that runs until the end, on Temporal's real server. */
  async startWorker(options: StageWorkerOptions = {}): Promise<StageWorker> {
    const {
      workflowsPath,
      activities,
      config,
      address = temporalAddress(),
      taskQueue = uniqueName('agents'),
    } = options;
    const providers = await this.#connect(config);
    const connection = await NativeConnection.connect({ address });
    this.#stops.push(() => connection.close());
    const plugins = [providers.plugin()];
    const worker = await Worker.create({ connection, taskQueue, workflowsPath, activities, plugins });
    const running = worker.run();
    this.#stops.push(async () => {
      worker.shutdown();
      await running;
    });
    return { taskQueue, providers };
  }

  /** A client that seals with another root key than the stage's workers have. */
  managerWith(rootKey: string): ProviderClient {
    const { managerUrl, store } = this.database;
    const rootKeyring = parseLocalKeyring(`stage:${rootKey}`);
    const manager = ProviderClient.open({
      ...{ database: { databaseUrl: managerUrl, ...store }, rootKeyring, egress: LOOPBACK_POLICY },
    });
    this.#stops.push(() => manager.close());
    return manager;
  }

  /** A key that is plainly none, with what an encoding would change in it. */
  newKey(of: string): string {
    const key = `canary/${of}+${randomUUID().slice(0, 13)}`;
    this.secrets.push(key);
    return key;
  }

  /** A workspace's key for an LLM service: admitted there, and stored. An OpenAI-compatible one is `local-model`. */
  async addLlm(
    workspaceId: string,
    service: LlmProvider = 'anthropic',
    { admitted = true, config = {} }: { admitted?: boolean; config?: object } = {},
  ): Promise<string> {
    const apiKey = this.newKey(service);
    if (admitted) this.llm.admit({ provider: service, key: apiKey, owner: workspaceId });
    const name = service === 'openai-compatible' ? 'local-model' : service;
    const baseURL = this.llm.baseUrls[service].sdk;
    const model = MODELS[service];
    const provider = { workspaceId, type: 'llm', name, config: { baseURL, model, ...config } };
    await this.manager.configureProvider({ ...provider, secret: { apiKey } }, UNFENCED);
    return apiKey;
  }

  async addTenderly(workspaceId: string): Promise<string> {
    const { url, admit } = this.chain.tenderly;
    const accessKey = this.newKey('tenderly');
    admit({ account: workspaceId, project: 'agents', accessKey, owner: workspaceId });
    const provider = { workspaceId, type: 'tenderly', name: 'default' };
    const config = { account: workspaceId, project: 'agents', baseURL: url };
    await this.manager.configureProvider({ ...provider, config, secret: { accessKey } }, UNFENCED);
    return accessKey;
  }

  /** An endpoint of a workspace; its key stands in the path. */
  async addEndpoint(
    workspaceId: string,
    name: string,
    { chainId = this.chain.chainId, priority = 100, admitted = true, url = this.chain.gateway.url } = {},
  ): Promise<string> {
    const key = this.newKey(`rpc-${name}`).replace(/[/+]/g, '-');
    this.secrets.push(key);
    if (admitted) this.chain.gateway.admit({ key, owner: `${workspaceId} ${name}` });
    const config = { chainId, priority };
    const secret = { url: `${url}/v2/${key}` };
    await this.manager.configureProvider({ workspaceId, type: 'rpc', name, config, secret }, UNFENCED);
    return key;
  }
}

async function startChain(): Promise<Chain & { stop(): Promise<void> }> {
  const anvil = await startAnvil();
  const gateway = await startRpcGateway({ keys: [], nodeUrl: anvil.url });
  const tenderly = await startTenderlyStandIn({ accounts: [], rpcUrl: anvil.url });
  const stop = async () => {
    await Promise.all([gateway.stop(), tenderly.stop()]);
    await anvil.stop();
  };
  return { chainId: anvil.chainId, gateway, tenderly, stop };
}

const planOrSentence: LlmStandInOptions['answer'] = ({ wantsJson }) =>
  wantsJson ? JSON.stringify({ transferWei: '1000000000000000000' }) : 'The address can pay.';

/** For whom a prompt was made: prompts of these tests name their workspace. */
function workspaceIn(prompt: string): string | undefined {
  return /\bws_[\w-]+/.exec(prompt)?.[0];
}

export const newWorkspace = (): string => uniqueName('ws_test');
