/** Exit codes of the worker and the CLI. They are API: scripts branch on them. */
import { type FailureType, isProviderError } from './errors.js';

export const EXIT = {
  ok: 0,
  /** A fault: a bug, or something nobody foresaw. */
  fault: 1,
  /** Bad input or settings; the message names what. Nothing was changed. */
  invalid: 2,
  /** No such provider, or it is disabled. */
  notConfigured: 3,
  /** The service refused the credential, or it does not open; or the worker refused the grant. */
  rejected: 4,
  /** Postgres, Temporal, the root-key service or the live service is away or busy: try again. */
  unavailable: 5,
  /** The change was made, and what should follow it did not come to its end; the message says what is left. */
  unfinished: 6,
  /** Whoever waited stopped waiting (Ctrl-C): what was begun is done, or goes on. As shells have it, 128 + SIGINT. */
  interrupted: 130,
} as const;

const BY_FAILURE: Readonly<Record<FailureType, number>> = {
  ProviderNotConfigured: EXIT.notConfigured,
  ProviderDisabled: EXIT.notConfigured,
  GrantInvalid: EXIT.rejected,
  CredentialRejected: EXIT.rejected,
  CredentialUnreadable: EXIT.rejected,
  ProviderQuotaExhausted: EXIT.rejected,
  ProviderConfigInvalid: EXIT.invalid,
  ProviderRequestInvalid: EXIT.invalid,
  RotationInProgress: EXIT.invalid,
  RotationFailed: EXIT.invalid,
  ProviderRateLimited: EXIT.unavailable,
  ProviderUnavailable: EXIT.unavailable,
  StoreUnavailable: EXIT.unavailable,
  KeyServiceUnavailable: EXIT.unavailable,
};

export function exitCodeOf(error: unknown): number {
  return isProviderError(error) ? BY_FAILURE[error.type] : EXIT.fault;
}
