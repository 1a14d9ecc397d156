/** Identifies a provider: the key of its row, and what its ciphertext is bound to. */
export interface ProviderIdentity {
  readonly workspaceId: string;
  /** `llm`, `tenderly`, `rpc`, … */
  readonly type: string;
  /** The name within its type, in lower case: `anthropic`, `default`, `mainnet-primary`. */
  readonly name: string;
}

/** Whose credential it is: the workspace's own, or the platform's if the fallback allowed it. */
export type ProviderSource = 'workspace' | 'platform';

/** How a worker answered: from its cache, by its own load, or by waiting for a load in flight. */
export type CacheOutcome = 'hit' | 'miss' | 'joined';

/**
 * Names one provider at one version. The version is a floor, not a snapshot: opening a reference to version 3 gives
 * version 3 or newer, so a workflow that sleeps for a week opens the credential that is current when it wakes.
 */
export interface ProviderReference<Type extends string = string> extends ProviderIdentity {
  readonly type: Type;
  /** Raised by each change that a reader must see; 0 for the platform's credential. */
  readonly version: number;
  readonly source: ProviderSource;
  readonly cache: CacheOutcome;
  /** Facts that may be shown: masked key (`…a1b2`), host, chain id, account, default model. */
  readonly shown: Readonly<Record<string, string | number>>;
}

/** The endpoints of one chain, the preferred one first. */
export interface RpcReference {
  readonly workspaceId: string;
  readonly type: 'rpc';
  readonly chainId: number;
  readonly endpoints: readonly ProviderReference<'rpc'>[];
  /** Endpoints of the chain that could not be opened. Absent if there are none. */
  readonly unusable?: readonly UnusableEndpoint[];
}

/** An endpoint that was skipped, and the failure type that was the reason. */
export interface UnusableEndpoint {
  readonly name: string;
  readonly failure: string;
}

/** The credential that a step used. A reference's version is a floor, so this version may be newer. */
export interface ProviderUse {
  readonly name: string;
  readonly version: number;
  readonly source: ProviderSource;
  readonly cache: CacheOutcome;
}

/** The lowest version of each provider that may answer, by the provider's name. */
export type VersionFloors = Readonly<Record<string, number>>;

/** The header in which a child workflow and the next run get the versions of providers that their workflow has seen. */
export const SEEN_VERSIONS_HEADER = 'workspace-providers-seen';

/** What is common to everything that names a provider instead of having a reference to it. */
export interface WantedProvider {
  /** Default: the workspace of the workflow's grant. No other workspace is accepted. */
  readonly workspaceId?: string;
  /**
   * Providers of which no older version may answer. The functions of `workspace-providers/workflow` add what their
   * workflow has seen. Default: none.
   */
  readonly atLeast?: VersionFloors;
}

/** A provider of a workspace by its name, or the first of several names that is configured and active. */
export interface NamedProvider<Type extends string = string> extends WantedProvider {
  readonly type: Type;
  readonly name: string | readonly string[];
}
