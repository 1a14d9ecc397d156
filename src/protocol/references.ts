/** What resolve activities return: names and facts fit to show. Safe in a history; no secret ever stands in one. */
import type { ProviderIdentity } from './identity.js';

/** Whose credential it is: the workspace's own, or the platform's where the fallback policy allowed it. */
export type ProviderSource = 'workspace' | 'platform';

/** How a worker answered: from its cache, by a load of its own, or by waiting for a load in flight. */
export type CacheOutcome = 'hit' | 'miss' | 'joined';

/**
 * Names one provider at one version. A floor, not a snapshot: opening a reference to version 3 gives version 3 or
 * newer, so a workflow that sleeps for a week opens the credential of that day.
 */
export interface ProviderReference<Type extends string = string> extends ProviderIdentity {
  readonly type: Type;
  /** Raised by each change that a reader must see; 0 for the platform's credential. */
  readonly version: number;
  readonly source: ProviderSource;
  readonly cache: CacheOutcome;
  /** Facts fit to show: masked key (`…a1b2`), host, chain id, account, default model. */
  readonly shown: Readonly<Record<string, string | number>>;
}

/** The endpoints of one chain, the preferred one first. */
export interface RpcReference {
  readonly workspaceId: string;
  readonly type: 'rpc';
  readonly chainId: number;
  readonly endpoints: readonly ProviderReference<'rpc'>[];
}

/** Which credential a step really used: a reference's version is a floor, so this may be newer. */
export interface ProviderUse {
  readonly name: string;
  readonly version: number;
  readonly source: ProviderSource;
  readonly cache: CacheOutcome;
}
