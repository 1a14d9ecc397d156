/** The seam of root-key backends: a local keyring today, a key service behind the same two methods. */
import type { WrappedDataKey } from '../protocol/records.js';

/**
 * Wraps and unwraps data keys. Implementations throw only `ProviderError`: `KeyServiceUnavailable` where asking again
 * may help, `CredentialUnreadable` where it cannot (unknown root key, another context, altered).
 */
export interface RootKeyring {
  /** Wraps under the active root key. The context is authenticated: with another one it does not unwrap. */
  wrap(
    dataKey: Uint8Array,
    context: { readonly workspaceId: string; readonly kid: string },
  ): Promise<{ readonly wrappedKey: string; readonly rootKeyId: string }>;
  /** The data key in the clear. The caller overwrites it after use. */
  unwrap(wrapped: WrappedDataKey, workspaceId: string): Promise<Uint8Array>;
}
