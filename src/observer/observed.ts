/**
 * What an observer is told: names, versions, outcomes and durations. No type here has a place for a secret, a URL, or
 * the text of a service or of a client library.
 */
import type { FailureType } from '../protocol/failure-types.js';
import type { CacheOutcome, ProviderIdentity, ProviderSource } from '../protocol/references.js';

/** Why work failed: `aborted` by its caller; `failed` by any other error than those of this package. */
export type ObservedFailure = FailureType | 'aborted' | 'failed';

/** Work with a beginning and an end: what is known at each of them. */
export interface Works {
  /** A provider is looked for. */
  resolve: {
    /** What was asked for. What is not a name is `?`; so is the workspace if it comes from the grant of the workflow. */
    readonly begun: ProviderIdentity;
    readonly ended: FoundProvider;
  };
  /** A callback runs with a credential. */
  open: {
    readonly begun: ProviderIdentity & { readonly version: number };
    readonly ended: { readonly isHealed: boolean };
  };
  /** An HTTP request, until the head of its answer. */
  request: {
    readonly begun: { readonly method: string };
    readonly ended: { readonly status: number };
  };
  /** A call to a language model. */
  model: {
    readonly begun: ProviderIdentity & { readonly model: string };
    readonly ended: {
      readonly answeringModel?: string | undefined;
      readonly finishReason: string;
      readonly inputTokens?: number | undefined;
      readonly outputTokens?: number | undefined;
    };
  };
  /** A stage of a rotation or of a schedule. */
  stage: {
    readonly begun: { readonly stage: string; readonly rotationId?: string };
    readonly ended: object;
  };
  /** A statement in Postgres. */
  statement: {
    readonly begun: { readonly statement: string };
    readonly ended: object;
  };
}

export interface FoundProvider extends ProviderIdentity {
  readonly version: number;
  readonly source: ProviderSource;
  readonly cache: CacheOutcome;
}

export type WorkName = keyof Works;

/** Work that begins. */
export type BegunWork = { [Name in WorkName]: { readonly work: Name; readonly begun: Works[Name]['begun'] } }[WorkName];

/** Work that has ended: `ended` is absent if it failed. */
export type EndedWork = {
  [Name in WorkName]: {
    readonly work: Name;
    readonly begun: Works[Name]['begun'];
    readonly tookMs: number;
    readonly ended?: Works[Name]['ended'];
    readonly failure?: ObservedFailure;
  };
}[WorkName];

/** What happens at one moment. */
export type Happening =
  /** A service refused the credential. */
  | { readonly what: 'rejected'; readonly provider: ProviderIdentity; readonly version: number }
  /** A stored credential did not open. */
  | { readonly what: 'unreadable'; readonly provider: ProviderIdentity; readonly version: number }
  | { readonly what: 'renewed'; readonly tookMs: number }
  | { readonly what: 'renewal-failed' }
  /** The row of the worker was gone, or Postgres is not guarded any more. */
  | { readonly what: 'lease-lost' }
  /** A wait for a fence has ended. */
  | {
      readonly what: 'fenced';
      readonly tookMs: number;
      readonly complete: boolean;
      readonly workers: Readonly<Record<'applied' | 'gone' | 'waited-out' | 'waiting', number>>;
    }
  /** A drain has ended. `holders`: the workers whose steps still hold an older version. */
  | { readonly what: 'drained'; readonly tookMs: number; readonly holders: number }
  | { readonly what: 'rotation-ended'; readonly state: string }
  | { readonly what: 'checked'; readonly type: string; readonly outcome: string }
  | { readonly what: 'grant-refused'; readonly kind: string; readonly cause: string }
  /** Uses of credentials are missing in the audit. */
  | { readonly what: 'uses-lost'; readonly count: number };
