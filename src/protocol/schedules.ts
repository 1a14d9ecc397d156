import type { ProviderIdentity } from './references.js';
import type { CheckReport } from './rotation.js';

/** The first part of the ids of this package's schedules, and of their runs. */
export const SCHEDULE_ID_PREFIX = 'workspace-providers';

/** Workflow types. Each due rotation runs in its own workflow. */
export const ROTATE_DUE_PROVIDERS = 'rotateDueProviders';
export const CHECK_PROVIDERS = 'checkProviders';

/**
 * A provider, and the number of its turn: 1 for the first provider that a workspace added. Lists have the first ones of all
 * workspaces, then the second ones, so that a workspace with many slow providers does not keep the others waiting.
 */
export interface ListedProvider {
  readonly provider: ProviderIdentity;
  readonly turn: number;
}

/** Selects a page of providers, ordered by turn, workspace, type and name: those after `after`. Default: from the first. */
export interface PageInput {
  readonly after?: ListedProvider;
  readonly limit: number;
}

/** A provider whose credential is older than its rotation interval. */
export interface DueRotation {
  readonly provider: ProviderIdentity;
  readonly version: number;
}

/**
 * `staged`: the next credential is stored, or the service will issue it, and the rotation can start. `needs-person`:
 * neither. `passed`: the provider is no longer due, or another caller handles it.
 */
export type PreparedRotation =
  | { readonly outcome: 'staged'; readonly rotationId: string }
  | { readonly outcome: 'needs-person' | 'passed' };

/** Whether an event was recorded. It is recorded once per version. */
export interface RaisedEvent {
  readonly raised: boolean;
}

export type StoredCredentialCheck = Pick<CheckReport, 'outcome'> & RaisedEvent;

/** The input of a workflow that goes through all workspaces. `after` and `totals` are its progress so far. */
interface SweepInput<Totals> {
  /** The number of providers after which the workflow continues as new. Default: 100. */
  readonly pageSize?: number;
  /** The number of providers at the same time. Default: 5. */
  readonly atOnce?: number;
  readonly after?: ListedProvider;
  readonly totals?: Totals;
}

/** The number of rotations whose workflow was gone, which were ended. */
export interface AbandonedRotations {
  readonly abandoned: number;
}

/** The number of providers that were due, and what became of them. */
export interface RotateDueTotals {
  /** Rotations, of all providers, whose workflow was gone: they were ended first. */
  readonly abandoned: number;
  readonly due: number;
  readonly rotated: number;
  /** The rotation was started, and goes on by itself: the run did not wait for its end. */
  readonly underWay: number;
  /** The rotation failed. Nothing was changed, and the next run tries again. */
  readonly failed: number;
  /** The provider was no longer due when its turn came, or another caller handled it. */
  readonly skipped: number;
  /** No credential is staged, and the service cannot issue one. Each run counts these again. */
  readonly needPerson: number;
  /** The part of `needPerson` that this run reported for the first time, with an event for each. */
  readonly overdue: number;
}

export type RotateDueProvidersInput = SweepInput<RotateDueTotals>;

/** What the services answered about the stored credentials. */
export interface CheckTotals {
  readonly checked: number;
  readonly ok: number;
  readonly rejected: number;
  readonly cannotTell: number;
  /** Not checked: the credential does not open, does not match its type, or is gone. */
  readonly failed: number;
}

export type CheckProvidersInput = SweepInput<CheckTotals>;

/** The events that the audit records once per version of a provider. */
export type ProviderEventName = 'rotation-overdue' | 'credential-rejected';
