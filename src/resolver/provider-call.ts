import type { Fetch } from '../egress/http-client.js';
import type { ProviderUse } from '../protocol/references.js';

/** A credential in plaintext, and which one it is. */
export interface OpenCredential<Credential> {
  readonly credential: Credential;
  readonly use: ProviderUse;
}

/** What a `withProvider` callback receives. */
export interface ProviderCall<Credential> {
  /**
   * What a vendor's client needs. In place of each secret it has a placeholder, which is worth nothing: pass it to the
   * client together with `fetch`.
   */
  readonly credential: Credential;
  /** Which provider the callback began with. A later request may use a newer version. */
  readonly use: ProviderUse;
  /**
   * The HTTP client of this provider. It puts the credential into each request to the provider's own service when the
   * request is sent, in its newest version, and takes out what else would identify somebody. A request to another origin
   * goes there without the credential. It goes only where the egress policy allows. If the service refuses the
   * credential, it is read again and the request sent once more, unless its body is a stream. When the callback has
   * ended, it refuses with `SetupInvalid`, and aborts what is in flight: read the whole answer within the callback.
   */
  readonly fetch: Fetch;
  /**
   * Returns the credential with the secret itself, for what cannot take `fetch`: gRPC, websockets, a child process. A
   * rotation then waits for the end of the callback before it revokes what was revealed.
   */
  reveal(): Promise<Credential>;
  /** Aborted when the activity is cancelled, and when the callback has ended. */
  readonly signal: AbortSignal;
}
