/** The failure types: what each means to workflows, HTTP APIs and commands. docs/failures.md is generated from them. */

/** The stable name of a failure. In a workflow, `failureTypeOf(error)` returns it. */
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
  /** The status code of an HTTP API. */
  readonly httpStatus: number;
  /** The exit code of a command. */
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
    meaning: 'The provider is disabled.',
    action: 'Enable it, or choose another provider.',
  },
  ProviderConfigInvalid: {
    retryable: false,
    httpStatus: 422,
    exitCode: 2,
    meaning: 'An input, or the config or secret of a provider, is not valid. `fields` lists the invalid fields.',
    action: 'Correct the named fields.',
  },
  ProviderChanged: {
    retryable: false,
    httpStatus: 412,
    exitCode: 2,
    meaning: 'Another change to the provider came first. Nothing was written.',
    action: 'Read it again and repeat the change.',
  },
  GrantInvalid: {
    retryable: false,
    httpStatus: 403,
    exitCode: 4,
    meaning: 'The workflow has no grant, or its grant is revoked, forged, or for another workflow or workspace.',
    action:
      'Start the workflow with a client of `WorkspaceGrants`. The log of the worker has the reason for a refusal. A ' +
      "grant that is dated ahead of the worker's clock is tried again.",
  },
  CredentialRejected: {
    retryable: false,
    httpStatus: 424,
    exitCode: 4,
    meaning: 'The service refused the credential, and reading it again from the database did not help.',
    action: 'Rotate to a credential that the service accepts.',
  },
  CredentialUnreadable: {
    retryable: false,
    httpStatus: 500,
    exitCode: 4,
    meaning:
      'The stored credential does not open: it was altered, copied from elsewhere, sealed for another destination than ' +
      'the config has now, or its root key is missing.',
    action:
      'If the message names the destination, configure the provider again with the secret, and see the audit for who ' +
      'changed the config. Otherwise check that ENCRYPTION_KEY has the root key; if it does, configure the provider again.',
  },
  ProviderRequestInvalid: {
    retryable: false,
    httpStatus: 400,
    exitCode: 2,
    meaning:
      'The service refused the request itself (400, 404, 413, 422), its content, or its model or scope for this key; or ' +
      'an execution reverted; or no endpoint of the chain has the method or state. Sending it again would change nothing.',
    action: 'Change the request, or what the key may do.',
  },
  ProviderQuotaExhausted: {
    retryable: false,
    httpStatus: 402,
    exitCode: 4,
    meaning: 'The account behind the credential is out of credit, or over its spending limit.',
    action: 'Pay, or raise the limit, at the service.',
  },
  ProviderRateLimited: {
    retryable: true,
    httpStatus: 429,
    exitCode: 5,
    meaning:
      'The service limits the rate of requests (429, 529), and its answer may include how long to wait; or the ' +
      'workspace has too many steps running in one worker (`PROVIDER_STEPS_PER_WORKSPACE`).',
    action: 'Nothing: Temporal retries the step.',
  },
  ProviderUnavailable: {
    retryable: true,
    httpStatus: 502,
    exitCode: 5,
    meaning:
      'The service cannot be reached, fails (5xx), does not answer in time, or sends a success that holds no answer.',
    action: 'Nothing: Temporal retries the step.',
  },
  AnswerUnusable: {
    retryable: false,
    httpStatus: 502,
    exitCode: 4,
    meaning:
      'A model answered, but the answer is cut off, is a refusal, or does not match the schema; or it worked for longer ' +
      'than the step has, twice.',
    action:
      'Change the prompt, the schema, `maxOutputTokens` or the time of the step. Asking again costs money and changes nothing.',
  },
  ResultTooLarge: {
    retryable: false,
    httpStatus: 502,
    exitCode: 2,
    meaning: 'The result is larger than a workflow history can hold (2 MiB), or than a service may send (16 MiB).',
    action:
      "Ask for less: fewer results, a smaller range, fewer fields; or give the worker Temporal's external storage.",
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
    meaning: 'The rotation ended without a change, or cannot do what was asked. The message has the reason.',
    action: 'Act on the message, then rotate again.',
  },
  StoreUnavailable: {
    retryable: true,
    httpStatus: 503,
    exitCode: 5,
    meaning:
      'Postgres cannot be reached or does not answer in time, or another session holds a lock for too long. The ' +
      'message names the setting, or the session.',
    action: 'Nothing for workflows: they wait until it is back. Act on the message, and repeat a command.',
  },
  KeyServiceUnavailable: {
    retryable: true,
    httpStatus: 503,
    exitCode: 5,
    meaning:
      'The root-key service, or the address of the public grant keys, cannot be reached; or the key set of grants could ' +
      'not be read for longer than `PROVIDER_GRANT_KEYS_MAX_AGE`.',
    action: 'Act on the message. Workflows wait until it is back. Repeat a command.',
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
    meaning:
      'The deployment is not set up correctly: a setting, a database login, its role, the schema, or the use of the plugin.',
    action: 'Correct what the message names. Nothing was changed.',
  },
};
