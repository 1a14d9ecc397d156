/** What rotations are made of: inputs, stages, and what each of them proves. */
import type { ProviderIdentity } from './identity.js';
import type { HeldVersion } from './own-queue.js';

/** How far a rotation has come; the last three are ends. */
export type RotationState =
  | 'staged'
  | 'checked'
  | 'activated'
  | 'fenced'
  | 'drained'
  | 'revoked'
  | 'rolled-back'
  | 'failed';

/** Where the next credential comes from: an operator, or the service itself, which makes it for us. */
export type RotationOrigin = 'given' | 'issued';

/** The task queue of rotations, schedules and checks: served by processes whose login may change providers. */
export const OPERATIONS_TASK_QUEUE = 'provider-operations';

/** Under which all rotations' workflow ids stand. */
export const ROTATIONS = 'rotate';

/** One rotation at a time for a provider: its workflow's id says so. */
export function rotationWorkflowId({ workspaceId, type, name }: ProviderIdentity): string {
  return `${ROTATIONS}/${workspaceId}/${type}/${name}`;
}

export interface RotateProviderInput {
  /** Of a rotation that was staged. */
  readonly rotationId: string;
  readonly provider: ProviderIdentity;
  /**
   * How long both credentials stay valid at the service after no worker serves the older one, in milliseconds: the time
   * to roll back in. Default 0.
   */
  readonly overlapMs?: number;
  /** How long to wait for running steps to let the older credential go, in milliseconds. Default 15 minutes. */
  readonly drainLimitMs?: number;
  /** Activate also where the live service cannot tell whether it takes the next credential. Default false. */
  readonly acceptUnchecked?: boolean;
}

/** How a worker was accounted for in a fence. `waiting`: not yet. */
export type FenceOutcome = 'applied' | 'gone' | 'waited-out' | 'waiting';

export interface FencedWorker {
  readonly workerId: string;
  readonly identity: string;
  readonly taskQueue: string;
  /**
   * `applied`: it has let go of what was before. `gone`: it ended in order. `waited-out`: it did not answer, and its lease
   * has run out, by this fence's watch or by a janitor's.
   */
  readonly outcome: FenceOutcome;
  /** Since the fence began, in milliseconds. */
  readonly afterMs: number;
}

export interface FenceReport {
  /** Every change up to this epoch is fenced. */
  readonly epoch: number;
  readonly tookMs: number;
  /** Those that could have held a lease when the fence began. */
  readonly workers: readonly FencedWorker[];
}

/** A worker whose steps still hold an older version. */
export interface Holder {
  readonly workerId: string;
  readonly identity: string;
  /** Empty where the worker does not answer: then it counts as a holder until it is gone for good. */
  readonly held: readonly HeldVersion[];
}

export interface DrainReport {
  /** Whether no step of any worker holds an older version. */
  readonly drained: boolean;
  /** Who still did when the time was up. */
  readonly holders: readonly Holder[];
  readonly tookMs: number;
}

export interface CheckReport {
  readonly outcome: 'ok' | 'rejected' | 'cannot-tell';
  readonly detail: string;
  readonly tookMs: number;
}

/** What became of the older credential. `operator`: a person must do what `detail` says. */
export interface RevocationReport {
  readonly outcome: 'revoked' | 'operator';
  readonly detail: string;
}

/** What a rotation has done so far, and what it proved: also what the query `rotationStatus` answers. */
export interface RotationStatus {
  readonly rotationId: string;
  readonly provider: ProviderIdentity;
  readonly state: RotationState;
  readonly rollingBack: boolean;
  readonly fromVersion?: number;
  readonly toVersion?: number;
  readonly check?: CheckReport;
  readonly fence?: FenceReport;
  /** Since when at the latest no worker serves an older version, as ISO 8601. */
  readonly fencedAt?: string;
  readonly drain?: DrainReport;
  readonly revocation?: RevocationReport;
  /** Until when both credentials are kept, as ISO 8601; while it can be rolled back. */
  readonly overlapUntil?: string;
  /** Why it failed or was rolled back. */
  readonly reason?: string;
}

export interface RollBackInput {
  readonly reason: string;
}

/** The names under which a running rotation is asked and told. */
export const ROTATION_STATUS = 'rotationStatus';
export const ROLL_BACK = 'rollBack';
