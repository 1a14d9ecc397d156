import type { FailureType } from '../../protocol/failure-types.js';

export interface Verdict {
  readonly type: FailureType;
  /** Fixed text that continues the provider's name: `refused the credential`. */
  readonly text: string;
  /** The service says that it does not know the key, or no longer does. Only then does a check return `rejected`. */
  readonly isDeadKey?: boolean;
  readonly retryAfterMs?: number;
}

/** Which service answered: a status means different things at different services. */
export interface ProviderKind {
  readonly type: string;
  readonly name: string;
}

export const DEAD_KEY: Verdict = { type: 'CredentialRejected', text: 'refused the credential', isDeadKey: true };
export const OUT_OF_CREDIT: Verdict = { type: 'ProviderQuotaExhausted', text: 'is out of credit or over its limit' };
export const OVERLOADED: Verdict = { type: 'ProviderRateLimited', text: 'is overloaded' };
export const RATE_LIMITED: Verdict = { type: 'ProviderRateLimited', text: 'rate-limited the request' };
export const REQUEST_INVALID: Verdict = { type: 'ProviderRequestInvalid', text: 'refused the request' };
export const UNAVAILABLE: Verdict = { type: 'ProviderUnavailable', text: 'is not available' };
