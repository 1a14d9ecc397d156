/** The activities of rotations and schedules, for processes whose login may change providers. */
import { Context } from '@temporalio/activity';
import { awaitFence } from '../fence/fence.js';
import type { RotationCredentials } from '../management/rotation-credentials.js';
import type {
  BegunRotation,
  CheckReport,
  EndRotationInput,
  FenceReport,
  RevocationReport,
  RollBackRotationInput,
  RotationIdInput,
  RotationStageInput,
  WorkerAddress,
} from '../protocol/rotation.js';
import { runWithHeartbeat } from './run-activity.js';
import { createScheduleActivities, type ScheduleDependencies } from './schedule-activities.js';

export interface OperationDependencies extends ScheduleDependencies {
  readonly rotations: RotationCredentials;
}

export function createOperationActivities(dependencies: OperationDependencies) {
  const { store, rotations } = dependencies;
  return {
    ...createScheduleActivities(dependencies),

    beginRotation: ({ rotationId }: RotationIdInput): Promise<BegunRotation> =>
      runWithHeartbeat(async () => {
        const { workflowId } = Context.current().info.workflowExecution ?? {};
        return store.beginRotation(rotationId, workflowId ?? rotationId);
      }),

    issueNextCredential: ({ rotationId }: RotationIdInput): Promise<void> =>
      runWithHeartbeat((signal) => rotations.issue(rotationId, { signal })),

    checkNextCredential: ({ rotationId }: RotationIdInput): Promise<CheckReport> =>
      runWithHeartbeat(() => rotations.check(rotationId)),

    recordRotationStage: ({ rotationId, state }: RotationStageInput): Promise<void> =>
      runWithHeartbeat(() => store.advanceRotation(rotationId, state)),

    activateNextCredential: ({ rotationId }: RotationIdInput): Promise<{ readonly version: number }> =>
      runWithHeartbeat(() => store.activateRotation(rotationId)),

    restorePreviousCredential: ({ rotationId, reason }: RollBackRotationInput): Promise<{ readonly version: number }> =>
      runWithHeartbeat(() => store.rollBackRotation(rotationId, reason)),

    /** Waits for the fence of every change that was committed before the call. A retry starts the wait again. */
    awaitFence: (): Promise<FenceReport> => runWithHeartbeat((signal) => awaitFence({ registry: store, signal })),

    /** Lists the workers that may hold a lease or run a step. */
    listWorkers: (): Promise<readonly WorkerAddress[]> =>
      runWithHeartbeat(async () =>
        (await store.listWorkers()).map(({ workerId, identity, taskQueue, state }) => {
          return { workerId, identity, taskQueue, state };
        }),
      ),

    revokePreviousCredential: ({ rotationId }: RotationIdInput): Promise<RevocationReport> =>
      runWithHeartbeat((signal) => rotations.revokePrevious(rotationId, { signal })),

    discardIssuedCredential: ({ rotationId }: RotationIdInput): Promise<RevocationReport | undefined> =>
      runWithHeartbeat((signal) => rotations.discardIssued(rotationId, { signal })),

    endRotation: ({ rotationId, state, reason }: EndRotationInput): Promise<void> =>
      runWithHeartbeat(() => store.endRotation(rotationId, state, reason)),
  };
}

export type OperationActivities = ReturnType<typeof createOperationActivities>;
