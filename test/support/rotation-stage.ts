/** An agents' stage with workers of rotations, and a client that starts them. */
import type { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { type RotateInput, RotationClient, type RotationHandle } from '../../src/client/rotation-client.js';
import { type ProviderOptions, readConfig, readProviderConfig } from '../../src/config/resolver-config.js';
import { createOperationsWorker } from '../../src/plugin/operations-worker.js';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import type { LlmStandIn } from '../../testbed/standins/llm.js';
import { leaksOf } from '../integration/leaks.js';
import { AgentStage, type StageOptions, type StageWorker } from './agent-stage.js';
import { withSession } from './database.js';
import { temporalAddress, uniqueName } from './parts.js';

export interface RotationStageOptions extends StageOptions {
  readonly config?: ProviderOptions;
  /** A worker of rotations in this process. Default true; it takes seconds, to bundle its workflows. */
  readonly operations?: boolean;
}

/** A rotation's row, as far as these tests look. */
export interface RotationRow {
  readonly state: string;
  readonly ended: boolean;
  readonly sealed: number;
  readonly reason: string | null;
}

export class RotationStage {
  readonly #stops: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly agents: AgentStage,
    /** With its own task queue, and its cache. */
    readonly worker: StageWorker,
    readonly client: RotationClient,
    /** Whose workflows may change providers. */
    readonly operator: Client,
    readonly taskQueue: string,
  ) {}

  static async set(options: RotationStageOptions = {}): Promise<RotationStage> {
    const agents = await AgentStage.set(options);
    const worker = await agents.startWorker({ config: options.config });
    const taskQueue = uniqueName('operations');
    const operator = agents.grants.operatorClient('a test');
    const client = new RotationClient(agents.manager.actingAs('a test'), operator, taskQueue);
    const stage = new RotationStage(agents, worker, client, operator, taskQueue);
    if (options.operations ?? true) await stage.#startOperations();
    return stage;
  }

  async #startOperations(): Promise<void> {
    const connection = await NativeConnection.connect({ address: temporalAddress() });
    const { rootKeyring, egress, grants } = readConfig(this.agents.config(), readProviderConfig);
    const { managerUrl, store } = this.agents.database;
    const { taskQueue } = this;
    const { worker, close } = await createOperationsWorker(
      { database: { databaseUrl: managerUrl, ...store }, rootKeyring, egress, grants, taskQueue },
      { connection, namespace: 'default', shutdownGraceMs: 0 },
    );
    const running = worker.run();
    this.#stops.push(async () => {
      worker.shutdown();
      await running;
      await close();
      await connection.close();
    });
  }

  /** A workspace with an Anthropic key that works. */
  async addAnthropic(workspaceId: string): Promise<{ provider: ProviderIdentity; apiKey: string }> {
    const apiKey = await this.agents.addLlm(workspaceId);
    return { provider: { workspaceId, type: 'llm', name: 'anthropic' }, apiKey };
  }

  /** A key that the service takes. */
  admittedKey(workspaceId: string, service: Parameters<LlmStandIn['admit']>[0]['provider'] = 'anthropic'): string {
    const key = this.agents.newKey(service);
    this.agents.llm.admit({ provider: service, key, owner: workspaceId });
    return key;
  }

  rotate(input: RotateInput): Promise<RotationHandle> {
    return this.client.rotate(input);
  }

  /** What a step would be given now, by the worker of this stage. */
  async served({ workspaceId, name }: ProviderIdentity): Promise<{ version: number; apiKey: string }> {
    const { resolver } = this.worker.providers;
    const { credential, use } = await resolver.open(
      await resolver.resolveLlmKey({ workspaceId: workspaceId, provider: name }),
    );
    return { version: use.version, apiKey: credential.apiKey.reveal() };
  }

  /** The rows of the workspace's rotations, the oldest first. */
  rotationRows(workspaceId: string): Promise<readonly RotationRow[]> {
    return withSession(this.agents.database.ownerUrl, async (session) => {
      const { rows } = await session.query<RotationRow>(
        `select state, ended_at is not null as ended, reason,
          num_nonnulls(next_encrypted_config, previous_encrypted_config) as sealed
        from provider_rotations where workspace_id = $1 order by created_at`,
        [workspaceId],
      );
      return rows;
    });
  }

  leaksOf(handle: RotationHandle): Promise<string[]> {
    return leaksOf(handle, this.agents.secrets);
  }

  async strike(): Promise<void> {
    for (let next = this.#stops.pop(); next; next = this.#stops.pop()) await next();
    await this.agents.strike();
  }
}
