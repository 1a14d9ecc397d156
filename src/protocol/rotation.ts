import type { ProviderIdentity } from './references.js';

/** How far a rotation has come. The last three states are final. */
export type RotationState =
  | 'staged'
  | 'checked'
  | 'activated'
  | 'fenced'
  | 'drained'
  | 'revoked'
  | 'rolled-back'
  | 'failed';

/** Where the next credential comes from: `given` by an operator, or `issued` by the service's API at our request. */
export type RotationOrigin = 'given' | 'issued';

/** The task queue of rotations, schedules and checks. It is served by processes whose login may change providers. */
export const OPERATIONS_TASK_QUEUE = 'provider-operations';

/** The first part of every rotation's workflow id. */
export const ROTATION_ID_PREFIX = 'rotate';

/** Workflow types, as they appear in the Temporal UI. */
export const ROTATE_PROVIDER = 'rotateProvider';

/** The workflow id allows one rotation at a time per provider. */
export function rotationWorkflowId({ workspaceId, type, name }: ProviderIdentity): string {
  return `${ROTATION_ID_PREFIX}/${workspaceId}/${type}/${name}`;
}

export interface RotateProviderInput {
  /** The id of a staged rotation. */
  readonly rotationId: string;
  readonly provider: ProviderIdentity;
  /**
   * How long both credentials stay valid at the service after no worker serves the older one, in milliseconds. The
   * rotation can be rolled back during that time. Default: 0.
   */
  readonly overlapMs?: number;
  /** How long to wait for running steps that hold the older credential, in milliseconds. Default: 15 minutes. */
  readonly drainLimitMs?: number;
  /** Whether to activate a credential that the live service could not confirm. Default: false. */
  readonly acceptUnchecked?: boolean;
}

/** How a fence accounted for a worker. */
export type FenceOutcome = 'applied' | 'gone' | 'waited-out' | 'waiting';

export interface FencedWorker {
  readonly workerId: string;
  readonly identity: string;
  readonly taskQueue: string;
  /**
   * `applied`: the worker has dropped the older version. `gone`: it shut down cleanly. `waited-out`: it did not answer,
   * and its lease has expired, by this fence's clock or by a janitor's. `waiting`: not accounted for yet.
   */
  readonly outcome: FenceOutcome;
  /** The time since the fence began, in milliseconds. */
  readonly afterMs: number;
}

export interface FenceReport {
  /** Every change up to this epoch is covered. */
  readonly epoch: number;
  /** Whether no worker serves an older version. False while workers are waited for, and if the wait was cut short. */
  readonly complete: boolean;
  readonly tookMs: number;
  /** The workers that could hold a lease when the fence began. */
  readonly workers: readonly FencedWorker[];
}

/** A version that running steps of a worker hold. */
export interface HeldVersion {
  readonly version: number;
  /** The number of steps that hold it. */
  readonly count: number;
  /** How long the longest of them has held it, in milliseconds. */
  readonly longestMs: number;
}

/** A worker whose steps still hold an older version. */
export interface Holder {
  readonly workerId: string;
  readonly identity: string;
  /** Empty if that is not known: the worker does not renew its lease. It counts as a holder until its row is removed. */
  readonly held: readonly HeldVersion[];
}

export interface DrainReport {
  /** Whether no step of any worker holds an older version. */
  readonly drained: boolean;
  /** The workers that still held one when the time was up. */
  readonly holders: readonly Holder[];
  readonly tookMs: number;
}

/** What a live service answered about a credential. `cannot-tell` is neither yes nor no, and never a rejection. */
export type CheckOutcome = 'ok' | 'rejected' | 'cannot-tell';

export interface CheckReport {
  readonly outcome: CheckOutcome;
  /** Fixed text for a person: "the service returned its list of models". */
  readonly detail: string;
  readonly tookMs: number;
}

/** What happened to the older credential. `by-hand`: a person must do what `detail` says. */
export interface RevocationReport {
  readonly outcome: 'revoked' | 'by-hand';
  readonly detail: string;
}

/** What a rotation has done so far, and what it proved. The query `rotationStatus` returns it too. */
export interface RotationStatus {
  readonly rotationId: string;
  readonly provider: ProviderIdentity;
  readonly state: RotationState;
  readonly rollingBack: boolean;
  readonly fromVersion?: number;
  readonly toVersion?: number;
  readonly check?: CheckReport;
  readonly fence?: FenceReport;
  /** The time from which no worker serves an older version, as ISO 8601. */
  readonly fencedAt?: string;
  readonly drain?: DrainReport;
  readonly revocation?: RevocationReport;
  /** Until when both credentials are kept and a rollback is possible, as ISO 8601. */
  readonly overlapUntil?: string;
  /** Why it failed or was rolled back. */
  readonly reason?: string;
}

/** What a person must know if a rotation ends before the credential that it replaced was revoked. */
export function mayStillBeValid(rolledBack: boolean): string {
  return `the ${rolledBack ? 'newer' : 'older'} credential may still be valid: revoke it at its service`;
}

export interface RollBackInput {
  readonly reason: string;
}

/**
 * The workflow that has a rotation's id. `none`: no workflow of this id is running. `foreign`: one that is not a rotation
 * is. `rotationId` is absent if no worker answers.
 */
export type RotationRun =
  | { readonly state: 'none' | 'foreign' }
  | { readonly state: 'rotation'; readonly runId: string; readonly rotationId?: string };

/** What Temporal knows of the workflows that have the ids of rotations. */
export interface RotationRuns {
  find(workflowId: string): Promise<RotationRun>;
  /** Ends this run. Does nothing if it has ended. */
  terminate(workflowId: string, runId: string, reason: string): Promise<void>;
}

/** The names of a running rotation's query and update. */
export const ROTATION_STATUS = 'rotationStatus';
export const ROLL_BACK = 'rollBack';

// Inputs and results of the activities.

export interface RotationIdInput {
  readonly rotationId: string;
}

export interface BegunRotation {
  readonly origin: RotationOrigin;
  readonly fromVersion: number;
}

export interface RotationStageInput extends RotationIdInput {
  readonly state: Extract<RotationState, 'checked' | 'fenced' | 'drained'>;
}

export interface RollBackRotationInput extends RotationIdInput {
  readonly reason: string;
}

export interface EndRotationInput extends RotationIdInput {
  /** Default: the rotation's present state, for a rotation whose last part a person must do. */
  readonly state?: Extract<RotationState, 'revoked' | 'rolled-back' | 'failed'>;
  readonly reason?: string;
}

/** A worker process, and the task queue that only this process polls. */
export interface WorkerAddress {
  readonly workerId: string;
  readonly identity: string;
  readonly taskQueue: string;
  readonly state: 'live' | 'vanished';
}

export interface InvalidateAnswer {
  /** Every change up to this epoch has left the worker's cache. */
  readonly appliedEpoch: number;
}

export interface DrainInput {
  readonly provider: ProviderIdentity;
  /** Steps that hold an older version are waited for. */
  readonly version: number;
  /** The epoch of the fence of that version. */
  readonly epoch: number;
  /** How long to wait, in milliseconds. */
  readonly limitMs: number;
}

export interface DrainAnswer {
  /** The workers whose steps still hold an older version. Empty when the drain is done. */
  readonly holders: readonly Holder[];
}
