/** The activities of rotations and schedules, for processes whose login may change providers. */
import { Context } from '@temporalio/activity';
import { awaitDrain } from '../fence/drain.js';
import { awaitFence } from '../fence/fence.js';
import type { RotationCredentials } from '../management/rotation-credentials.js';
import type {
  BegunRotation,
  CheckReport,
  DrainAnswer,
  FenceReport,
  RevocationReport,
  WorkerAddress,
} from '../protocol/rotation.js';
import {
  drainInput,
  endRotationInput,
  rollBackInput,
  rotationIdInput,
  rotationStageInput,
} from './operation-inputs.js';
import { activity, runWithHeartbeat } from './run-activity.js';
import { createScheduleActivities, type ScheduleDependencies } from './schedule-activities.js';

export interface OperationDependencies extends ScheduleDependencies {
  readonly rotations: RotationCredentials;
}

interface RaisedVersion {
  readonly version: number;
}

export function createOperationActivities(dependencies: OperationDependencies) {
  const { store, rotations } = dependencies;
  return {
    ...createScheduleActivities(dependencies),

    beginRotation: activity('beginRotation', rotationIdInput, async ({ rotationId }): Promise<BegunRotation> => {
      const { workflowId } = Context.current().info.workflowExecution ?? {};
      return store.beginRotation(rotationId, workflowId ?? rotationId);
    }),

    issueNextCredential: activity(
      'issueNextCredential',
      rotationIdInput,
      ({ rotationId }, signal): Promise<void> => rotations.issue(rotationId, { signal }),
    ),

    checkNextCredential: activity(
      'checkNextCredential',
      rotationIdInput,
      ({ rotationId }): Promise<CheckReport> => rotations.check(rotationId),
    ),

    recordRotationStage: activity(
      'recordRotationStage',
      rotationStageInput,
      ({ rotationId, state }): Promise<void> => store.advanceRotation(rotationId, state),
    ),

    activateNextCredential: activity(
      'activateNextCredential',
      rotationIdInput,
      ({ rotationId }): Promise<RaisedVersion> => store.activateRotation(rotationId),
    ),

    restorePreviousCredential: activity(
      'restorePreviousCredential',
      rollBackInput,
      ({ rotationId, reason }): Promise<RaisedVersion> => store.rollBackRotation(rotationId, reason),
    ),

    /** Waits for the fence of every change that was committed before the call. A retry starts the wait again. */
    awaitFence: (): Promise<FenceReport> => runWithHeartbeat((signal) => awaitFence({ registry: store, signal })),

    /** Waits until no step holds an older version, or `limitMs` is over. Returns who still holds one. */
    awaitDrain: activity(
      'awaitDrain',
      drainInput,
      async ({ limitMs, ...question }, signal): Promise<DrainAnswer> => ({
        holders: await awaitDrain({ registry: store, question, limitMs, signal }),
      }),
    ),

    /** Lists the workers that may hold a lease or run a step. */
    listWorkers: (): Promise<readonly WorkerAddress[]> =>
      runWithHeartbeat(async () =>
        (await store.listWorkers()).map(({ workerId, identity, taskQueue, state }) => {
          return { workerId, identity, taskQueue, state };
        }),
      ),

    revokePreviousCredential: activity(
      'revokePreviousCredential',
      rotationIdInput,
      ({ rotationId }, signal): Promise<RevocationReport> => rotations.revokePrevious(rotationId, { signal }),
    ),

    discardIssuedCredential: activity(
      'discardIssuedCredential',
      rotationIdInput,
      ({ rotationId }, signal): Promise<RevocationReport | undefined> =>
        rotations.discardIssued(rotationId, { signal }),
    ),

    endRotation: activity(
      'endRotation',
      endRotationInput,
      ({ rotationId, state, reason }): Promise<void> => store.endRotation(rotationId, { state, reason }),
    ),
  };
}

export type OperationActivities = ReturnType<typeof createOperationActivities>;
