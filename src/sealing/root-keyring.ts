/** The interface for root-key backends: a local keyring, or a key service. */
import type { WrappedDataKey } from '../store/ports.js';

/** A data key, wrapped, and the id of the root key that wraps it. */
export type WrappedKey = Pick<WrappedDataKey, 'wrappedKey' | 'rootKeyId'>;

/**
 * Wraps and unwraps data keys. Implementations throw only `ProviderError`: `KeyServiceUnavailable` if asking again may
 * help, `CredentialUnreadable` if it cannot (unknown root key, another context, altered), `SetupInvalid` from
 * `preflight`.
 */
export interface RootKeyring {
  /** The id of the root key that `wrap` uses. */
  readonly activeKeyId: string;
  /** Wraps under the active root key. The context is authenticated: with another one the key does not unwrap. */
  wrap(dataKey: Uint8Array, context: { readonly workspaceId: string; readonly kid: string }): Promise<WrappedKey>;
  /** Returns the plaintext data key. The caller overwrites it after use. */
  unwrap(wrapped: WrappedDataKey, workspaceId: string): Promise<Uint8Array>;
  /** Wraps under the active root key without showing the data key. Default: `unwrap`, then `wrap`. */
  rewrap?(wrapped: WrappedDataKey, workspaceId: string): Promise<WrappedKey>;
  /** Called at the start: finds a missing key or permission before the first step does. */
  preflight(): Promise<void>;
}
