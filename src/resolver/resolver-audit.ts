/** What a resolver tells of what it does. Nobody waits for it, and it may not throw: no step fails because of it. */
import type { ProviderIdentity } from '../protocol/identity.js';

export interface ResolverAudit {
  /** What is stored at that version does not open: altered, pasted from elsewhere, or under a key that is lost. */
  unreadable(provider: ProviderIdentity, version: number): void;
}
