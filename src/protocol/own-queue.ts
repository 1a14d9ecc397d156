/** What a rotation asks of one worker process, and what that answers. */
import type { ProviderIdentity } from './identity.js';

export interface InvalidateAnswer {
  /** Every change up to this epoch has left the worker's cache. */
  readonly appliedEpoch: number;
}

export interface DrainInput {
  readonly provider: ProviderIdentity;
  /** Older ones are to be let go. */
  readonly version: number;
  /** How long to wait for that, in milliseconds. */
  readonly limitMs: number;
}

/** A version that running steps of a worker hold. */
export interface HeldVersion {
  readonly version: number;
  /** How many steps. */
  readonly count: number;
  /** For how long the longest of them has held it, in milliseconds. */
  readonly longestMs: number;
}

export interface DrainAnswer {
  /** Older versions that are still held; none: drained. */
  readonly held: readonly HeldVersion[];
}
