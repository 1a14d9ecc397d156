import type { ProviderIdentity } from '../protocol/references.js';
import type { FenceReport, Holder } from '../protocol/rotation.js';
import type { ProviderChange } from './provider-change.js';

export interface ConfigureProviderInput extends ProviderIdentity {
  /** The public config. Default: no fields. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The plaintext secret; it is sealed before it leaves this process. */
  readonly secret: Readonly<Record<string, unknown>>;
}

export interface UpdateProviderInput extends ProviderIdentity, ProviderChange {
  /** The version that the change was made from. Default: the one that is stored now. */
  readonly expectedVersion?: number;
}

/** The proof that a change has reached every worker. */
export interface Fenced {
  /** Absent if the call had `fence: false`. */
  readonly fence?: FenceReport;
  /**
   * The workers whose running steps still hold what was replaced, disabled, removed or shredded: such a step goes through
   * with it. Absent if the call did not wait for the whole fence, and after `enableProvider`.
   */
  readonly holders?: readonly Holder[];
}

/** A provider as it was just changed. */
export interface ChangedProvider extends ProviderIdentity, Fenced {
  readonly version: number;
}

/** A provider as it was just written. */
export interface WrittenProvider extends ChangedProvider {
  /** Facts that may be shown: masked key, host, chain id. */
  readonly shown: Readonly<Record<string, string | number>>;
}
