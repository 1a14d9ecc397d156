/** What the answer of a service can mean, and the failure that each meaning becomes. */
import type { FailureType } from '../../protocol/failure-types.js';
import type { Revert } from '../../protocol/simulations.js';
import type { ServiceReply } from './error-body.js';

export interface Verdict {
  readonly type: FailureType;
  /** Fixed text that continues the provider's name: `refused the credential`. */
  readonly text: string;
  /** The service says that it does not know the key, or no longer does. Only then does a check return `rejected`. */
  readonly isDeadKey?: boolean;
  /** Only this endpoint lacks something: the next endpoint of the chain may have it. */
  readonly isOfEndpoint?: boolean;
  readonly retryAfterMs?: number;
  readonly revert?: Revert;
}

/** What the answer of a service can mean: each becomes a typed failure. docs/provider-types.md lists them. */
export type AnswerMeaning =
  | 'key refused'
  | 'key not accepted'
  | 'address refused'
  | 'organization refused'
  | 'organization missing'
  | 'project refused'
  | 'scope or model refused'
  | 'region refused'
  | 'content refused'
  | 'out of credit'
  | 'rate limited'
  | 'overloaded'
  | 'too large for any wait'
  | 'too many results'
  | 'reverted'
  | 'not executable'
  | 'endpoint lacks it'
  | 'firewall in front'
  | 'not an answer'
  | 'passing'
  | 'failed'
  | 'final';

/** By what the answer means: what becomes of the step. */
export const MEANINGS = {
  'key refused': { type: 'CredentialRejected', text: 'refused the credential', isDeadKey: true },
  // Not dead: a newer version of the provider may correct what goes with the key.
  'key not accepted': { type: 'CredentialRejected', text: 'refused the credential' },
  'address refused': {
    type: 'CredentialRejected',
    text: 'does not accept the credential from this IP address',
  },
  'organization refused': { type: 'CredentialRejected', text: 'refused the organization of the credential' },
  'organization missing': { type: 'CredentialRejected', text: 'refused the credential: it has no organization' },
  'project refused': { type: 'CredentialRejected', text: 'refused the project of the credential' },
  'scope or model refused': {
    type: 'ProviderRequestInvalid',
    text: 'does not allow this request with this credential',
  },
  'region refused': { type: 'ProviderRequestInvalid', text: 'is not offered in this region' },
  'content refused': { type: 'ProviderRequestInvalid', text: 'refuses the content of the request' },
  'out of credit': { type: 'ProviderQuotaExhausted', text: 'is out of credit or over its limit' },
  'rate limited': { type: 'ProviderRateLimited', text: 'rate-limited the request' },
  overloaded: { type: 'ProviderRateLimited', text: 'is overloaded' },
  'too large for any wait': {
    type: 'ProviderRequestInvalid',
    text: 'refuses a request of this size, however long it waits: make it smaller',
  },
  'too many results': {
    type: 'ProviderRequestInvalid',
    text: 'refuses to return so many results: ask for a smaller range',
  },
  reverted: { type: 'ProviderRequestInvalid', text: 'reports that the execution reverted' },
  'not executable': {
    type: 'ProviderRequestInvalid',
    text: 'cannot execute the transaction at all: check its funds, its gas and its block',
  },
  'endpoint lacks it': {
    type: 'ProviderRequestInvalid',
    text: 'does not offer this method or state, at all or on its plan',
    isOfEndpoint: true,
  },
  'firewall in front': {
    type: 'ProviderUnavailable',
    text: 'is behind a firewall that did not let the request through',
  },
  'not an answer': { type: 'ProviderUnavailable', text: 'sent a response that is not valid for its API' },
  passing: { type: 'ProviderUnavailable', text: 'is not available' },
  failed: { type: 'ProviderUnavailable', text: 'failed' },
  final: { type: 'ProviderRequestInvalid', text: 'refused the request' },
} as const satisfies Readonly<Record<AnswerMeaning, Verdict>>;

/** What an answer of a service means. `undefined` if it means what its status says. */
export type MeaningOf = (reply: ServiceReply) => AnswerMeaning | undefined;
