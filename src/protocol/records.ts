/** What is stored, as the store hands it to the resolver and to sealing. */

/** A data key of a workspace, wrapped by a root key. */
export interface WrappedDataKey {
  readonly kid: string;
  readonly wrappedKey: string;
  readonly rootKeyId: string;
}

/** A row of `workspace_providers`, less its workspace. */
export interface ProviderRecord {
  readonly type: string;
  readonly name: string;
  /** Public, not yet checked against its type. */
  readonly config: unknown;
  /** A compact JWE; only `sealing` opens it. */
  readonly encryptedConfig: string;
  readonly status: 'active' | 'disabled';
  readonly version: number;
}

/** All that one workspace has stored, in one database snapshot. */
export interface WorkspaceSnapshot {
  /** The epoch of that snapshot: every change in the database raises it, in commit order. */
  readonly epoch: number;
  readonly dataKeys: readonly WrappedDataKey[];
  readonly providers: readonly ProviderRecord[];
}
