/** The failure types, with what each means for a workflow, an HTTP API and a command. docs/failures.md is made from it. */

/** What went wrong, as a name that does not change. In a workflow: `failureTypeOf(error)`. */
export type FailureType =
  | 'ProviderNotConfigured'
  | 'ProviderDisabled'
  | 'ProviderConfigInvalid'
  | 'ProviderChanged'
  | 'GrantInvalid'
  | 'CredentialRejected'
  | 'CredentialUnreadable'
  | 'ProviderRequestInvalid'
  | 'ProviderQuotaExhausted'
  | 'ProviderRateLimited'
  | 'ProviderUnavailable'
  | 'AnswerUnusable'
  | 'ResultTooLarge'
  | 'RotationInProgress'
  | 'RotationFailed'
  | 'StoreUnavailable'
  | 'KeyServiceUnavailable'
  | 'TemporalUnavailable'
  | 'SetupInvalid';

export interface FailureFacts {
  /** Whether Temporal retries the activity. */
  readonly retryable: boolean;
  /** What an HTTP API answers. */
  readonly httpStatus: number;
  /** How a command ends. */
  readonly exitCode: number;
  readonly meaning: string;
  /** What to do about it. */
  readonly action: string;
}

export const FAILURE_TYPES: Readonly<Record<FailureType, FailureFacts>> = {
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
};
