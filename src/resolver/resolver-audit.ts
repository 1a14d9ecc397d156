/** What a resolver tells of what it does. Nobody waits for it, and it may not throw: no step fails because of it. */
import type { ProviderIdentity } from '../protocol/identity.js';
import type { ProviderReference } from '../protocol/references.js';

export interface ResolverAudit {
  /** The credential is handed out now. Called for every step: it must cost next to nothing. */
  used(reference: ProviderReference): void;
  /** What is stored at that version does not open: altered, pasted from elsewhere, or under a key that is lost. */
  unreadable(provider: ProviderIdentity, version: number): void;
}
