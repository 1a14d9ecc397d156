import type { FailureType } from '../../protocol/failure-types.js';

export interface Verdict {
  readonly type: FailureType;
  /** Fixed text that continues the provider's name: `refused the credential`. */
  readonly text: string;
  /** The service says that this key is none of its own, or is one no longer: all that a check calls a rejection. */
  readonly isDeadKey?: boolean;
  readonly retryAfterMs?: number;
}

/** Which service: the same status means different things at different ones. */
export interface ProviderKind {
  readonly type: string;
  readonly name: string;
}

export const DEAD_KEY: Verdict = { type: 'CredentialRejected', text: 'refused the credential', isDeadKey: true };
export const OUT_OF_CREDIT: Verdict = { type: 'ProviderQuotaExhausted', text: 'is out of credit or over its limit' };
export const OVERLOADED: Verdict = { type: 'ProviderRateLimited', text: 'is overloaded' };
export const RATE_LIMITED: Verdict = { type: 'ProviderRateLimited', text: 'limits the rate' };
export const REQUEST_INVALID: Verdict = { type: 'ProviderRequestInvalid', text: 'refused the request' };
export const UNAVAILABLE: Verdict = { type: 'ProviderUnavailable', text: 'is not available' };
