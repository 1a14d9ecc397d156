/** A stage of agents with a worker of rotations. */
import { NativeConnection } from '@temporalio/worker';
import type { RotationHandle } from '../../src/client/rotation-client.js';
import { type ProviderOptions, readConfig, readProviderConfig } from '../../src/config/resolver-config.js';
import { createOperationsWorker } from '../../src/plugin/operations-worker.js';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import type { Teardown } from '../../testbed/teardown.js';
import { leaksOf } from '../integration/leaks.js';
import { type AgentStage, type AgentStageOptions, agentStage, runWorker, type StageWorker } from './agent-stage.js';
import { withSession } from './database.js';
import { temporalAddress, uniqueName } from './parts.js';
import { useStage } from './use-stage.js';

export interface RotationStageOptions extends Omit<AgentStageOptions, 'operationsTaskQueue'> {
  readonly config?: ProviderOptions;
  /** Whether this process runs a worker of rotations. Default: true; it takes seconds to bundle its workflows. */
  readonly operations?: boolean;
}

/** A rotation's row, as far as these tests look. */
export interface RotationRow {
  readonly state: string;
  readonly ended: boolean;
  readonly sealed: number;
  readonly reason: string | null;
}

export interface RotationStage extends AgentStage {
  /** With its own task queue and cache. */
  readonly worker: StageWorker;
  /** The task queue of rotations. */
  readonly taskQueue: string;
  /** Adds a workspace's Anthropic provider, with a key that works. */
  addAnthropic(workspaceId: string): Promise<{ readonly provider: ProviderIdentity; readonly apiKey: string }>;
  /** What the stage's worker would give a step now. */
  served(provider: ProviderIdentity): Promise<{ readonly version: number; readonly apiKey: string }>;
  /** The rows of the workspace's rotations, the oldest first. */
  rotationRows(workspaceId: string): Promise<readonly RotationRow[]>;
  leaksOf(handle: RotationHandle): Promise<string[]>;
}

export const useRotationStage = (options: RotationStageOptions = {}): RotationStage =>
  useStage((teardown) => rotationStage(teardown, options));

async function rotationStage(teardown: Teardown, options: RotationStageOptions): Promise<RotationStage> {
  const { config, operations = true, ...agentOptions } = options;
  const taskQueue = uniqueName('operations');
  const stage = await agentStage(teardown, { ...agentOptions, operationsTaskQueue: taskQueue });
  const worker = await stage.startWorker({ config });
  if (operations) await startOperations(stage, taskQueue, teardown);
  return {
    ...{ ...stage, worker, taskQueue },
    async addAnthropic(workspaceId) {
      const apiKey = await stage.addLlm(workspaceId);
      return { provider: { workspaceId, type: 'llm', name: 'anthropic' }, apiKey };
    },
    async served({ workspaceId, name }) {
      const { resolver } = worker.providers;
      const reference = await resolver.resolveLlmKey({ workspaceId, provider: name });
      const { credential, use } = await resolver.open(reference);
      return { version: use.version, apiKey: credential.apiKey };
    },
    rotationRows: (workspaceId) =>
      withSession(stage.database.ownerUrl, async (session) => {
        const { rows } = await session.query<RotationRow>(
          `select state, ended_at is not null as ended, reason,
            num_nonnulls(next_encrypted_config, previous_encrypted_config) as sealed
          from provider_rotations where workspace_id = $1 order by created_at`,
          [workspaceId],
        );
        return rows;
      }),
    leaksOf: (handle) => leaksOf(handle, stage.secrets),
  };
}

async function startOperations(stage: AgentStage, taskQueue: string, teardown: Teardown): Promise<void> {
  const connection = await NativeConnection.connect({ address: temporalAddress() });
  teardown.defer(() => connection.close());
  const { rootKeyring, egress, types, grants } = readConfig(stage.config(), readProviderConfig);
  const { managerUrl, store } = stage.database;
  const { worker, close } = await createOperationsWorker(
    { database: { databaseUrl: managerUrl, ...store }, rootKeyring, egress, types, grants, taskQueue },
    { connection, namespace: 'default', shutdownGraceMs: 0 },
  );
  teardown.defer(close);
  runWorker(worker, teardown);
}
