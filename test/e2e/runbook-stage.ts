/**
 * A night in production, for the drills of the runbook: a durable Postgres of its own that may crash, a Temporal
 * namespace of its own, worker processes, a stand-in for the model services, and an operator's shell with nothing but
 * the command line on its path.
 */

import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { RotationClient } from '../../src/client/rotation-client.js';
import { GrantSigner, WorkspaceGrants } from '../../src/client.js';
import { readManagerConfig } from '../../src/config/manager-config.js';
import { type PostgresPart, startPostgres } from '../../src/dev/postgres.js';
import { findTemporalCli } from '../../src/dev/temporal-cli.js';
import { ProviderClient } from '../../src/management.js';
import { newGrantKeys, type TestGrantKeys } from '../../testbed/grant-keys.js';
import { LOOPBACK_ENV } from '../../testbed/loopback.js';
import { type LlmStandIn, startLlmStandIn } from '../../testbed/standins/llm.js';
import { CLI, run } from '../cli/run-cli.js';
import { type RunningCommand, startCommand } from '../cli/running-command.js';
import { type AgentWorkflows, runAgentWorkflows } from '../support/agent-workflows.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { temporalAddress, uniqueName } from '../support/parts.js';

/** Short, so that a fence which must wait for it is over soon; the runbook's production has 30 s. */
const LEASE = '1s';
const LONGEST_STEP = '1s';

export const PROVIDER = { workspaceId: 'ws_acme', type: 'llm', name: 'anthropic' } as const;

export class RunbookStage {
  /** All that was ever a secret here. */
  readonly secrets: string[] = [];
  readonly #rootKey = `production:${randomBytes(32).toString('base64')}`;
  readonly #queues = { agents: uniqueName('agents'), operations: uniqueName('operations') };
  #isPostgresAway = false;
  readonly #workers = new Map<string, RunningCommand>();

  private constructor(
    readonly folder: string,
    private server: PostgresPart,
    readonly database: TestDatabase,
    readonly llm: LlmStandIn,
    private readonly connection: Connection,
    private readonly namespace: string,
    private readonly grantKeys: TestGrantKeys,
  ) {
    this.secrets.push(
      this.#rootKey,
      grantKeys.signingSecret,
      ...[database.managerUrl, database.resolverUrl].map((url) => new URL(url).password),
    );
    this.manager = ProviderClient.open(
      readManagerConfig({
        env: {
          ...LOOPBACK_ENV,
          DATABASE_URL: database.managerUrl,
          ENCRYPTION_KEY: this.#rootKey,
        },
      }),
    );
    this.temporal = new Client({ connection, namespace });
    this.#keySet = join(folder, 'grant-keys.json');
    this.grants = new WorkspaceGrants(this.temporal, new GrantSigner(grantKeys.signingKey));
    this.rotations = new RotationClient(
      this.manager.actingAs('cli:you@host'),
      this.grants.operatorClient('runbook'),
      this.#queues.operations,
    );
  }

  readonly manager: ProviderClient;
  readonly rotations: RotationClient;
  readonly temporal: Client;
  readonly grants: WorkspaceGrants;
  readonly #keySet: string;
  #agentWorkflows: AgentWorkflows | undefined;

  static async set(): Promise<RunbookStage> {
    const folder = await mkdtemp(join(tmpdir(), 'runbook-'));
    await chmod(folder, 0o755);
    const server = await startPostgres({ durable: true, dataFolder: join(folder, 'postgres') });
    const database = await createTestDatabase(server.url);
    const connection = await Connection.connect({ address: temporalAddress() });
    const namespace = uniqueName('runbook');
    const workflowExecutionRetentionPeriod = msToTs('1 day');
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
    const llm = await startLlmStandIn({
      keys: [],
      answer: ({ wantsJson }) => (wantsJson ? '{"transferWei":"1"}' : 'Yes.'),
    });
    const stage = new RunbookStage(folder, server, database, llm, connection, namespace, await newGrantKeys());
    await stage.#makeShell();
    await writeFile(stage.#keySet, stage.grantKeys.keySet);
    const workflows = { address: temporalAddress(), namespace, taskQueue: stage.#queues.agents };
    [stage.#agentWorkflows] = await Promise.all([
      runAgentWorkflows(workflows),
      stage.#startWorker('agents-1'),
      stage.#startWorker('agents-2', { runsRotations: true }),
    ]);
    return stage;
  }

  async strike(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.end('SIGKILL')));
    await this.#agentWorkflows?.stop();
    await this.manager.close();
    await this.connection.close();
    await this.llm.stop();
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A key that the service takes; only what is admitted is. */
  admittedKey(service: 'anthropic' | 'openai' = 'anthropic'): string {
    const key = this.newKey();
    this.llm.admit({ provider: service, key, owner: PROVIDER.workspaceId });
    return key;
  }

  newKey(): string {
    const key = `canary-runbook-${randomBytes(8).toString('hex')}`;
    this.secrets.push(key);
    return key;
  }

  /** ws_acme has this provider, with a key that works, and is served it. */
  async configured(name: 'anthropic' | 'openai' = 'anthropic'): Promise<string> {
    await this.#begin();
    const apiKey = this.admittedKey(name);
    const config = { baseURL: this.llm.baseUrls[name].sdk, model: 'claude-sonnet-5-5' };
    await this.manager.configureProvider({ ...PROVIDER, name, config, secret: { apiKey } });
    return apiKey;
  }

  /** All that the workspace has is sealed under a root key that nobody has any more. */
  async startAnewUnderLostRootKey(): Promise<void> {
    await this.#begin();
    await this.manager.shredWorkspace(PROVIDER.workspaceId);
    const lost = `lost:${randomBytes(32).toString('base64')}`;
    const client = ProviderClient.open(
      readManagerConfig({
        env: {
          ...LOOPBACK_ENV,
          DATABASE_URL: this.database.managerUrl,
          ENCRYPTION_KEY: lost,
        },
      }),
    );
    await client.configureProvider({ ...PROVIDER, secret: { apiKey: this.newKey() } });
    await client.close();
  }

  /** What the operator makes at the service and saves. @returns the key */
  async newKeyFile(service?: 'anthropic' | 'openai'): Promise<string> {
    const key = this.admittedKey(service);
    await writeFile(join(this.folder, 'new-key'), `${key}\n`, { mode: 0o600 });
    return key;
  }

  /** An agent that asks a model, then ends, since its workspace has no chain. */
  startAgent(question: string) {
    const args = { ...PROVIDER, question, address: '0x0', chainId: 1, providers: ['anthropic'] };
    return this.grants.clientFor(PROVIDER.workspaceId).workflow.start('addressAgent', {
      taskQueue: this.#queues.agents,
      workflowId: uniqueName('agent'),
      args: [args],
    });
  }

  pidOf(identity: string): number {
    return Number(this.#workers.get(identity)?.document.pid);
  }

  async crashPostgres(): Promise<void> {
    await this.server.stop('immediate');
    this.#isPostgresAway = true;
  }

  /** Idempotent. */
  async restartPostgres(): Promise<void> {
    if (!this.#isPostgresAway) return;
    this.#isPostgresAway = false;
    const { port } = this.server;
    this.server = await startPostgres({ durable: true, dataFolder: join(this.folder, 'postgres'), port });
  }

  /** Runs an operator's commands word for word. @returns all that they showed */
  async operate(commands: string, env: Readonly<Record<string, string>> = {}) {
    const inFolder = `cd '${this.folder}'\nexec 2>&1\n${commands}`;
    const { exitCode, stdout } = await run('sh', ['-eu', '-c', inFolder], {
      env: {
        ...this.#env,
        ...this.grantKeys.starterEnv,
        DATABASE_URL: this.database.managerUrl,
        PATH: [join(this.folder, 'bin'), process.env.PATH].join(delimiter),
        ...env,
      },
    });
    return { exitCode, shown: stdout };
  }

  get #env() {
    return {
      ...LOOPBACK_ENV,
      ENCRYPTION_KEY: this.#rootKey,
      TEMPORAL_ADDRESS: temporalAddress(),
      TEMPORAL_NAMESPACE: this.namespace,
      PROVIDER_OPERATIONS_TASK_QUEUE: this.#queues.operations,
    };
  }

  /** Nothing is left of the drill before. */
  async #begin(): Promise<void> {
    const { workspaceId } = PROVIDER;
    for (const { type, name } of await this.manager.listProviders(workspaceId)) {
      await this.manager.removeProvider({ workspaceId, type, name });
    }
  }

  async #makeShell(): Promise<void> {
    const bin = join(this.folder, 'bin');
    await mkdir(bin);
    const programs = {
      'workspace-providers': `'${process.execPath}' '${CLI}'`,
      temporal: `'${await findTemporalCli()}'`,
    };
    for (const [name, program] of Object.entries(programs)) {
      await writeFile(join(bin, name), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
    }
  }

  async #startWorker(identity: string, { runsRotations = false } = {}): Promise<void> {
    const worker = await startCommand(['worker', '--json'], {
      ...this.#env,
      PROVIDER_GRANT_KEYS: this.#keySet,
      DATABASE_URL: this.database.resolverUrl,
      ...(runsRotations && { PROVIDER_MANAGER_DATABASE_URL: this.database.managerUrl }),
      PROVIDER_TASK_QUEUE: this.#queues.agents,
      PROVIDER_WORKER_IDENTITY: identity,
      PROVIDER_CACHE_LEASE: LEASE,
      PROVIDER_LONGEST_STEP: LONGEST_STEP,
    });
    this.#workers.set(identity, worker);
  }
}
