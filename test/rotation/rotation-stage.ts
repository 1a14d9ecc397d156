/** An agents' stage with workers of rotations, and a client that starts them. */
import { NativeConnection } from '@temporalio/worker';
import { type RotateInput, RotationClient, type RotationHandle } from '../../src/client/rotation-client.js';
import { createOperationsWorker } from '../../src/temporal/operations.js';
import type { ProviderConfig } from '../../src/temporal/provider-config.js';
import { leaksOf } from '../integration/leaks.js';
import { AgentStage, type StageOptions, type StageWorker } from '../support/agent-stage.js';
import { temporalAddress, uniqueName } from '../support/parts.js';

export class RotationStage {
  readonly #stops: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly agents: AgentStage,
    /** With its own task queue, and its cache. */
    readonly worker: StageWorker,
    readonly client: RotationClient,
    readonly taskQueue: string,
  ) {}

  static async set(options: StageOptions & { readonly config?: Partial<ProviderConfig> } = {}): Promise<RotationStage> {
    const agents = await AgentStage.set(options);
    const worker = await agents.startWorker({ config: options.config });
    const taskQueue = uniqueName('operations');
    const client = new RotationClient(agents.manager, agents.client, taskQueue);
    const stage = new RotationStage(agents, worker, client, taskQueue);
    await stage.startOperations();
    return stage;
  }

  async startOperations(): Promise<void> {
    const connection = await NativeConnection.connect({ address: temporalAddress() });
    const { rootKeyring } = this.agents.config();
    const { worker, close } = await createOperationsWorker(
      { store: { databaseUrl: this.agents.database.managerUrl }, rootKeyring, taskQueue: this.taskQueue },
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

  /** A key that the service takes. */
  admittedKey(workspaceId: string, service: 'anthropic' | 'openai' = 'anthropic'): string {
    const key = this.agents.newKey(service);
    this.agents.llm.admit({ provider: service, key, owner: workspaceId });
    return key;
  }

  rotate(input: Omit<RotateInput, 'requestedBy'>): Promise<RotationHandle> {
    return this.client.rotate({ requestedBy: 'a test', ...input });
  }

  leaksOf(handle: RotationHandle): Promise<string[]> {
    return leaksOf(handle, this.agents.secrets);
  }

  async strike(): Promise<void> {
    for (let next = this.#stops.pop(); next; next = this.#stops.pop()) await next();
    await this.agents.strike();
  }
}
