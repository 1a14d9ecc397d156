import type { ProviderIdentity } from './references.js';
/**
 * Each failure type. `retryable`: whether Temporal retries it. `httpStatus`: what an HTTP API answers. `exitCode`: how a
 * command ends. docs/failures.md is generated from this table.
 */
export const FAILURE_TYPES = {
  ProviderNotConfigured: {
    retryable: false,
    httpStatus: 404,
    exitCode: 3,
    meaning: 'The workspace has no such provider.',
    action: 'Configure it; the message has the command.',
  },
  ProviderDisabled: {
    retryable: false,
    httpStatus: 409,
    exitCode: 3,
    meaning: 'The provider is switched off.',
    action: 'Enable it, or choose another provider.',
  },
  ProviderConfigInvalid: {
    retryable: false,
    httpStatus: 422,
    exitCode: 2,
    meaning: 'An input, or the config or secret of a provider, does not fit; `fields` names what.',
    action: 'Correct the named fields.',
  },
  ProviderChanged: {
    retryable: false,
    httpStatus: 412,
    exitCode: 2,
    meaning: 'Somebody else changed the provider first. Nothing was written.',
    action: 'Read it again and repeat the change.',
  },
  GrantInvalid: {
    retryable: false,
    httpStatus: 403,
    exitCode: 4,
    meaning: 'The workflow has no grant, a revoked or forged one, or one for another workflow or workspace.',
    action: 'Start the workflow with a client of `WorkspaceGrants`, and bundle workflows with the plugin.',
  },
  CredentialRejected: {
    retryable: false,
    httpStatus: 424,
    exitCode: 4,
    meaning: 'The service refused the credential, also after it was read again.',
    action: 'Rotate to a credential that the service takes.',
  },
  CredentialUnreadable: {
    retryable: false,
    httpStatus: 500,
    exitCode: 4,
    meaning: 'The stored credential does not open: it was altered, copied from elsewhere, or its root key is missing.',
    action: 'Check that ENCRYPTION_KEY holds the root key; otherwise configure the provider again.',
  },
  ProviderRequestInvalid: {
    retryable: false,
    httpStatus: 400,
    exitCode: 2,
    meaning: 'The service refused the request itself (400, 404, 413, 422). Sending it again would change nothing.',
    action: 'Change the request.',
  },
  ProviderQuotaExhausted: {
    retryable: false,
    httpStatus: 402,
    exitCode: 4,
    meaning: 'The account behind the credential is out of credit, or over its spending limit.',
    action: 'A person must pay or raise the limit at the service.',
  },
  ProviderRateLimited: {
    retryable: true,
    httpStatus: 429,
    exitCode: 5,
    meaning: 'The service limits the rate (429, 529), and may have said when to come back.',
    action: 'Nothing: the step is retried.',
  },
  ProviderUnavailable: {
    retryable: true,
    httpStatus: 502,
    exitCode: 5,
    meaning: 'The service cannot be reached, fails (5xx) or does not answer in time.',
    action: 'Nothing: the step is retried.',
  },
  AnswerUnusable: {
    retryable: false,
    httpStatus: 502,
    exitCode: 4,
    meaning: 'A model answered, but the answer was cut, refused, or does not fit the schema.',
    action: 'Change the prompt, the schema or `maxOutputTokens`; asking again costs money and changes nothing.',
  },
  ResultTooLarge: {
    retryable: false,
    httpStatus: 502,
    exitCode: 2,
    meaning: 'The result is larger than a workflow history takes.',
    action: 'Ask for less: fewer results, a smaller range, fewer fields.',
  },
  RotationInProgress: {
    retryable: false,
    httpStatus: 409,
    exitCode: 2,
    meaning: 'Another rotation of the same provider is running.',
    action: 'Wait for it, or roll it back.',
  },
  RotationFailed: {
    retryable: false,
    httpStatus: 409,
    exitCode: 2,
    meaning: 'The rotation ended without a change, or cannot do what was asked; the message says why.',
    action: 'Act on the message, then rotate again.',
  },
  StoreUnavailable: {
    retryable: true,
    httpStatus: 503,
    exitCode: 5,
    meaning: 'Postgres cannot be reached, or does not answer in time.',
    action: 'Nothing: workflows wait until it is back. Repeat a command.',
  },
  KeyServiceUnavailable: {
    retryable: true,
    httpStatus: 503,
    exitCode: 5,
    meaning: 'The root-key service, or the address of the grants’ public keys, cannot be reached.',
    action: 'Nothing: workflows wait until it is back. Repeat a command.',
  },
  TemporalUnavailable: {
    retryable: true,
    httpStatus: 503,
    exitCode: 5,
    meaning: 'The Temporal server cannot be reached.',
    action: 'Check TEMPORAL_ADDRESS, and repeat the command.',
  },
  SetupInvalid: {
    retryable: false,
    httpStatus: 500,
    exitCode: 2,
    meaning: 'The deployment is at fault: a setting, a database login, its role, or the schema.',
    action: 'Correct what the message names. Nothing was changed.',
  },
} as const satisfies Record<string, FailureFacts>;

interface FailureFacts {
  readonly retryable: boolean;
  readonly httpStatus: number;
  readonly exitCode: number;
  readonly meaning: string;
  readonly action: string;
}

export type FailureType = keyof typeof FAILURE_TYPES;

export interface ProviderErrorFacts {
  readonly provider?: ProviderIdentity;
  /** The names of the fields that do not fit, as paths: `config.baseURL`. */
  readonly fields?: readonly string[];
  /** When the service will answer again, in milliseconds from now, if it said so. */
  readonly retryAfterMs?: number;
}

/** The one error that the package throws outside of workflows. Match on `type`: `instanceof` fails across realms. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';

  constructor(
    readonly type: FailureType,
    message: string,
    readonly facts: ProviderErrorFacts = {},
  ) {
    super(message);
  }

  /** An input, config or secret that does not fit. @param rule - continues the field's name: `must be a chain id` */
  static configInvalid(field: string, rule: string, provider?: ProviderIdentity): ProviderError {
    return new ProviderError('ProviderConfigInvalid', `${field} ${rule}`, {
      fields: [field],
      ...(provider && { provider }),
    });
  }

  /** A setting that does not fit. @param rule - continues the setting's name: `is not set: …` */
  static setupInvalid(setting: string, rule: string): ProviderError {
    return new ProviderError('SetupInvalid', `${setting} ${rule}`, { fields: [setting] });
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
