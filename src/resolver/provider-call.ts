/** What a step works with while it has a provider open. */
import type { ProviderUse } from '../protocol/references.js';
import type { Fetch } from '../providers/type.js';

/** A credential in the clear, and which one it is. Keep neither beyond the callback. */
export interface OpenCredential<Credential> {
  readonly credential: Credential;
  readonly use: ProviderUse;
}

/** What a `withProvider` callback is given. */
export interface ProviderCall<Credential> extends OpenCredential<Credential> {
  readonly fetch: Fetch;
  readonly signal: AbortSignal;
}
