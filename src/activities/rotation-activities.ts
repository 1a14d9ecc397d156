/** The activities of rotations and schedules, for processes whose login may change providers. */
import { Context } from '@temporalio/activity';
import type { z } from 'zod';
import { awaitDrain } from '../fence/drain.js';
import { awaitFence, reportFence } from '../fence/fence.js';
import type { RotationCredentials } from '../management/rotation-credentials.js';
import type { Works } from '../observer/observed.js';
import type { Reporter } from '../observer/observer.js';
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
  readonly observer: Reporter;
}

interface RaisedVersion {
  readonly version: number;
}

export function createOperationActivities(dependencies: OperationDependencies) {
  const { store, rotations, observer } = dependencies;
  const observed = <Result>(begun: Works['stage']['begun'], run: () => Promise<Result>) =>
    observer.during('stage', begun, run, () => ({}));
  /** An activity that is a stage of a rotation. */
  const stage = <Input extends object, Result>(
    name: string,
    schema: z.ZodType<Input>,
    run: (input: Input, signal: AbortSignal) => Promise<Result>,
  ) =>
    activity(name, schema, (input, signal) => {
      const { rotationId } = input as { readonly rotationId?: string };
      return observed({ stage: name, ...(rotationId !== undefined && { rotationId }) }, () => run(input, signal));
    });
  const fence = async (signal: AbortSignal) => {
    const report = await awaitFence({ registry: store, signal });
    reportFence(observer, report, report.tookMs);
    return report;
  };
  return {
    ...createScheduleActivities(dependencies),

    beginRotation: stage('beginRotation', rotationIdInput, async ({ rotationId }): Promise<BegunRotation> => {
      const { workflowId } = Context.current().info.workflowExecution ?? {};
      return store.beginRotation(rotationId, workflowId ?? rotationId);
    }),

    issueNextCredential: stage(
      'issueNextCredential',
      rotationIdInput,
      ({ rotationId }, signal): Promise<void> => rotations.issue(rotationId, { signal }),
    ),

    checkNextCredential: stage(
      'checkNextCredential',
      rotationIdInput,
      ({ rotationId }): Promise<CheckReport> => rotations.check(rotationId),
    ),

    recordRotationStage: stage(
      'recordRotationStage',
      rotationStageInput,
      ({ rotationId, state }): Promise<void> => store.advanceRotation(rotationId, state),
    ),

    activateNextCredential: stage(
      'activateNextCredential',
      rotationIdInput,
      ({ rotationId }): Promise<RaisedVersion> => store.activateRotation(rotationId),
    ),

    restorePreviousCredential: stage(
      'restorePreviousCredential',
      rollBackInput,
      ({ rotationId, reason }): Promise<RaisedVersion> => store.rollBackRotation(rotationId, reason),
    ),

    /** Waits for the fence of every change that was committed before the call. A retry starts the wait again. */
    awaitFence: (): Promise<FenceReport> =>
      runWithHeartbeat((signal) => observed({ stage: 'awaitFence' }, () => fence(signal))),

    /** Waits until no step holds an older version, or `limitMs` is over. Returns who still holds one. */
    awaitDrain: stage('awaitDrain', drainInput, async ({ limitMs, ...question }, signal): Promise<DrainAnswer> => {
      const startMs = performance.now();
      const holders = await awaitDrain({ registry: store, question, limitMs, signal });
      observer.report({ what: 'drained', tookMs: performance.now() - startMs, holders: holders.length });
      return { holders };
    }),

    /** Lists the workers that may hold a lease or run a step. */
    listWorkers: (): Promise<readonly WorkerAddress[]> =>
      runWithHeartbeat(async () =>
        (await store.listWorkers()).map(({ workerId, identity, taskQueue, state }) => {
          return { workerId, identity, taskQueue, state };
        }),
      ),

    revokePreviousCredential: stage(
      'revokePreviousCredential',
      rotationIdInput,
      ({ rotationId }, signal): Promise<RevocationReport> => rotations.revokePrevious(rotationId, { signal }),
    ),

    discardIssuedCredential: stage(
      'discardIssuedCredential',
      rotationIdInput,
      ({ rotationId }, signal): Promise<RevocationReport | undefined> =>
        rotations.discardIssued(rotationId, { signal }),
    ),

    endRotation: stage('endRotation', endRotationInput, async ({ rotationId, state, reason }): Promise<void> => {
      await store.endRotation(rotationId, { state, reason });
      observer.report({ what: 'rotation-ended', state: state ?? 'by-hand' });
    }),
  };
}

export type OperationActivities = ReturnType<typeof createOperationActivities>;
