/**
 * What can go wrong, as API: workflows match on a failure's `type`. A message is fixed text plus names, never a value
 * of somebody else's: it ends in histories, logs and tickets.
 */
import type { ProviderIdentity } from './identity.js';

/** Each failure type, and whether Temporal retries it. */
export const FAILURE_TYPES = {
  /** No such provider in this workspace. */
  ProviderNotConfigured: { retryable: false },
  /** It is there, and switched off. */
  ProviderDisabled: { retryable: false },
  /** No grant, a forged one, or one for another workflow or workspace. */
  GrantInvalid: { retryable: false },
  /** The service refused the credential, also after a reload. */
  CredentialRejected: { retryable: false },
  /** The stored credential does not open: wrong key, altered, or pasted from elsewhere. */
  CredentialUnreadable: { retryable: false },
  /** Config, secret or input does not fit; `fields` names what. */
  ProviderConfigInvalid: { retryable: false },
  /** The service refused the request itself (400, 404, 413, 422): retrying sends the same. */
  ProviderRequestInvalid: { retryable: false },
  /** The account behind the credential is out of credit or over its spend limit: a person must act. */
  ProviderQuotaExhausted: { retryable: false },
  /** 429 or 529; `retryAfterMs` where the service said so. */
  ProviderRateLimited: { retryable: true },
  /** 5xx, timeouts, refused connections. */
  ProviderUnavailable: { retryable: true },
  /** Another rotation of the same provider is under way. */
  RotationInProgress: { retryable: false },
  /** It ended without a change, or cannot go where it was told to; the message says why. */
  RotationFailed: { retryable: false },
  /** Postgres is away. */
  StoreUnavailable: { retryable: true },
  /** Whoever keeps keys is away: the root-key service, or the publisher of the grants' public keys. */
  KeyServiceUnavailable: { retryable: true },
} as const satisfies Record<string, { retryable: boolean }>;

export type FailureType = keyof typeof FAILURE_TYPES;

export interface ProviderErrorFacts {
  readonly provider?: ProviderIdentity;
  /** Names of the fields that do not fit, as paths: `config.baseURL`. */
  readonly fields?: readonly string[];
  /** When the service said that it will answer again. */
  readonly retryAfterMs?: number;
}

/** The one error of the worker's side. Match on `type`: `instanceof` fails across realms. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';

  constructor(
    readonly type: FailureType,
    message: string,
    readonly facts: ProviderErrorFacts = {},
  ) {
    super(message);
  }

  get retryable(): boolean {
    return FAILURE_TYPES[this.type].retryable;
  }
}

export function isProviderError(error: unknown, type?: FailureType): error is ProviderError {
  if (!(error instanceof Error) || error.name !== 'ProviderError') return false;
  // Other libraries have a class of that name too.
  const found = (error as ProviderError).type;
  return Object.hasOwn(FAILURE_TYPES, found) && (type === undefined || found === type);
}
