/** The stages of rotations as activities, and what schedules do, for processes whose login may change providers. */
import { Context } from '@temporalio/activity';
import { awaitFence } from '../fence/fence.js';
import type { Rotations } from '../management/rotations.js';
import type {
  BegunRotation,
  EndRotationInput,
  RollBackRotationInput,
  RotationIdInput,
  RotationStageInput,
  WorkerAddress,
} from '../protocol/operations.js';
import type { CheckReport, FenceReport, RevocationReport } from '../protocol/rotation.js';
import { alive } from './heartbeat.js';
import { createScheduleActivities, type ScheduleDependencies } from './schedules.js';

export interface OperationDependencies extends ScheduleDependencies {
  readonly rotations: Rotations;
}

export function createOperationActivities(dependencies: OperationDependencies) {
  const { store, rotations } = dependencies;
  return {
    ...createScheduleActivities(dependencies),

    beginRotation: ({ rotationId }: RotationIdInput): Promise<BegunRotation> =>
      alive(async () => {
        const { workflowId } = Context.current().info.workflowExecution ?? {};
        const { origin, fromVersion } = await store.beginRotation(rotationId, workflowId ?? rotationId);
        return { origin, fromVersion };
      }),

    issueNextCredential: ({ rotationId }: RotationIdInput): Promise<void> =>
      alive((signal) => rotations.issue(rotationId, { signal })),

    checkNextCredential: ({ rotationId }: RotationIdInput): Promise<CheckReport> =>
      alive(() => rotations.check(rotationId)),

    recordRotationStage: ({ rotationId, state }: RotationStageInput): Promise<void> =>
      alive(() => store.advanceRotation(rotationId, state)),

    activateNextCredential: ({ rotationId }: RotationIdInput): Promise<{ readonly version: number }> =>
      alive(() => store.activateRotation(rotationId)),

    restorePreviousCredential: ({ rotationId, reason }: RollBackRotationInput): Promise<{ readonly version: number }> =>
      alive(() => store.rollBackRotation(rotationId, reason)),

    /** Of every change that was committed before the call. Where it is cut short, the next attempt begins anew. */
    awaitFence: (): Promise<FenceReport> => alive((signal) => awaitFence({ registry: store, signal })),

    /** Every worker that may hold a lease or run a step. */
    listWorkers: (): Promise<readonly WorkerAddress[]> =>
      alive(async () =>
        (await store.listWorkers()).map(({ workerId, identity, taskQueue, state }) => {
          return { workerId, identity, taskQueue, state };
        }),
      ),

    revokePreviousCredential: ({ rotationId }: RotationIdInput): Promise<RevocationReport> =>
      alive((signal) => rotations.revokePrevious(rotationId, { signal })),

    discardIssuedCredential: ({ rotationId }: RotationIdInput): Promise<RevocationReport | undefined> =>
      alive((signal) => rotations.discardIssued(rotationId, { signal })),

    endRotation: ({ rotationId, state, reason }: EndRotationInput): Promise<void> =>
      alive(() => store.endRotation(rotationId, state, reason)),
  };
}

export type OperationActivities = ReturnType<typeof createOperationActivities>;
