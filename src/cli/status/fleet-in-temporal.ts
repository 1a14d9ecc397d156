/** What Temporal knows of a fleet: whether rotations can run, and how far those that have begun are. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { isPolled } from '../../client/task-queue-pollers.js';
import type { FleetStatus, RotationStage } from '../../management/fleet-status.js';
import { isProviderError } from '../../protocol/errors.js';
import { ROTATION_STATUS, type RotationStatus } from '../../protocol/rotation.js';
import { type Temporal, withTemporalToRead } from '../connections.js';
import { describeFailure, type Failure } from '../failure.js';
import { stagesOf } from '../terminal/rotation-lines.js';

/** A query waits for a worker. A running worker answers sooner than this. */
const ANSWER_TIMEOUT_MS = 3_000;

export interface WatchedRotation extends RotationStage {
  /** `gone`: no workflow of its id is running, so it ends only when somebody ends it. */
  readonly workflow: 'running' | 'gone' | 'unknown';
}

export interface TemporalStatus {
  readonly reachable: boolean;
  /** Why it is not reachable. */
  readonly error?: Failure;
  readonly namespace?: string;
  readonly operationsTaskQueue?: string;
  /** Whether a process that runs rotations polls the task queue. */
  readonly rotationsRun?: boolean;
}

export interface FleetInTemporal {
  readonly temporal: TemporalStatus;
  readonly rotations: readonly WatchedRotation[];
}

/** The whole fleet. */
export type WatchedFleet = Omit<FleetStatus, 'rotations'> & FleetInTemporal;

/** If Temporal does not answer, or its settings do not fit, the result says so. */
export async function askTemporal(rotations: readonly RotationStage[]): Promise<FleetInTemporal> {
  try {
    return await withTemporalToRead((temporal) =>
      temporal.client.withDeadline(Date.now() + 2 * ANSWER_TIMEOUT_MS, () => ask(temporal, rotations)),
    );
  } catch (error) {
    if (!isProviderError(error)) throw error;
    return {
      temporal: { reachable: false, error: describeFailure(error) },
      rotations: rotations.map((rotation) => ({ ...rotation, workflow: 'unknown' })),
    };
  }
}

async function ask({ client, operationsTaskQueue }: Temporal, rotations: readonly RotationStage[]) {
  const rotationsRun = await isPolled(client, operationsTaskQueue, 'workflow');
  const { namespace } = client.options;
  return {
    temporal: { reachable: true, namespace, operationsTaskQueue, rotationsRun },
    rotations: await Promise.all(rotations.map((rotation) => watched(client, rotation))),
  };
}

async function watched(client: Client, rotation: RotationStage): Promise<WatchedRotation> {
  const handle = client.workflow.getHandle(rotation.workflowId);
  const description = await handle.describe().catch((error: unknown) => {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  });
  if (description?.status.name !== 'RUNNING') return { ...rotation, workflow: 'gone' };
  const status = await client
    .withDeadline(Date.now() + ANSWER_TIMEOUT_MS, () => handle.query<RotationStatus, []>(ROTATION_STATUS))
    .catch(() => undefined);
  return { ...rotation, workflow: 'running', waitsFor: (status && stageOf(status)) ?? rotation.waitsFor };
}

/** The line of the stage that runs, as `rotate` shows it. */
function stageOf(status: RotationStatus): string | undefined {
  const running = stagesOf(status).find(({ mark }) => mark === 'running');
  return running && [running.verb, ...running.facts].filter(Boolean).join(': ');
}
