import type { ProviderIdentity } from './references.js';
import type { CheckReport } from './rotation.js';

/** Workflow types: what is due is rotated in workflows of its own. */
export const ROTATE_DUE_PROVIDERS = 'rotateDueProviders';
export const CHECK_PROVIDERS = 'checkProviders';

/** Asks for those after `after`, in the order of workspace, type and name; absent: from the first. */
export interface PageInput {
  readonly after?: ProviderIdentity;
  readonly limit: number;
}

/** A provider whose credential is older than it may be. */
export interface DueRotation {
  readonly provider: ProviderIdentity;
  readonly version: number;
}

/**
 * `staged`: its next credential is there, or its service will make it, and the rotation can start. `needs-person`:
 * neither. `passed`: it is not due any more, or somebody else is about it.
 */
export type PreparedRotation =
  | { readonly outcome: 'staged'; readonly rotationId: string }
  | { readonly outcome: 'needs-person' | 'passed' };

/** Whether it was news: it is told once for each version. */
export interface RaisedEvent {
  readonly raised: boolean;
}

export type StoredCredentialCheck = Pick<CheckReport, 'outcome'> & RaisedEvent;

/** How a run over all workspaces goes about it; the rest of its input is how far it has come. */
interface SweepInput<Totals> {
  /** At most so many providers in one workflow's history; then it continues as new. Default 100. */
  readonly pageSize?: number;
  /** How many at once. Default 5. */
  readonly atOnce?: number;
  readonly after?: ProviderIdentity;
  readonly totals?: Totals;
}

/** What became of the providers that were due. */
export interface RotateDueTotals {
  readonly due: number;
  readonly rotated: number;
  /** Their rotations failed: nothing was changed, and the next run tries again. */
  readonly failed: number;
  /** Not due any more when their turn came, or somebody else was about them. */
  readonly skipped: number;
  /** Nothing is staged, and their services make no keys: each run counts them anew. */
  readonly needPerson: number;
  /** Of those, told for the first time: an event was raised for each. */
  readonly overdue: number;
}

export type RotateDueProvidersInput = SweepInput<RotateDueTotals>;

/** What the services said of the stored credentials. */
export interface CheckTotals {
  readonly checked: number;
  readonly ok: number;
  readonly rejected: number;
  readonly cannotTell: number;
  /** Not to be asked about: they do not open, do not fit their type, or are gone. */
  readonly failed: number;
}

export type CheckProvidersInput = SweepInput<CheckTotals>;

/** What happens to a provider, as it is audited. */
export type ProviderEventName = 'rotation-overdue' | 'credential-rejected';
