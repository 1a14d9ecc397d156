import type { FailureType } from '../../src/protocol/failure-types.js';
import {
  anthropicSpendLimit,
  echoesKey,
  htmlPage,
  openAiInsufficientQuota,
  redirectTo,
} from '../../testbed/standins/failures.js';
import type { LlmProvider } from '../../testbed/standins/wire-format.js';

/** What a stand-in is ordered to do; see `failNext`. */
type Order = Omit<ReturnType<typeof echoesKey>, 'provider' | 'owner'>;

export interface ServiceFailure {
  readonly when: string;
  /** Default `anthropic`. */
  readonly service?: LlmProvider;
  /** Absent: the service does not know the key. */
  readonly order?: Order;
  readonly type: FailureType;
  /** The message, after the provider's name. */
  readonly says: string | RegExp;
  readonly nextRetryDelayMs?: number;
}

/** Nobody listens there: a redirect that is followed fails in another way. */
const ELSEWHERE = 'http://127.0.0.1:9/';

export const NOT_RETRIED: readonly ServiceFailure[] = [
  { when: 'Anthropic does not know the key', type: 'CredentialRejected', says: 'refused the credential (HTTP 401)' },
  {
    when: 'OpenAI does not know the key, and shows a part of it',
    service: 'openai',
    type: 'CredentialRejected',
    says: 'refused the credential (HTTP 401)',
  },
  {
    when: 'Gemini does not know the key, which is a 400 there',
    service: 'gemini',
    type: 'CredentialRejected',
    says: 'refused the credential (HTTP 400)',
  },
  {
    when: 'a compatible service does not know the key',
    service: 'openai-compatible',
    type: 'CredentialRejected',
    says: 'refused the credential (HTTP 401)',
  },
  {
    when: 'a 401 echoes the key',
    order: echoesKey(401),
    type: 'CredentialRejected',
    says: 'refused the credential (HTTP 401)',
  },
  {
    when: 'a compatible service answers 403, and echoes the key',
    service: 'openai-compatible',
    order: echoesKey(403),
    type: 'CredentialRejected',
    says: 'refused the credential (HTTP 403)',
  },
  {
    when: 'Anthropic answers 403: a living key that may not do this',
    order: { status: 403 },
    type: 'ProviderRequestInvalid',
    says: 'does not allow this request with this credential (HTTP 403)',
  },
  {
    when: 'a 400 echoes the key',
    order: echoesKey(400),
    type: 'ProviderRequestInvalid',
    says: 'refused the request (HTTP 400)',
  },
  {
    when: 'the spend limit is reached at Anthropic',
    order: anthropicSpendLimit,
    type: 'ProviderQuotaExhausted',
    says: 'is out of credit or over its limit (HTTP 429)',
  },
  {
    when: 'there is no credit left at OpenAI',
    service: 'openai',
    order: openAiInsufficientQuota,
    type: 'ProviderQuotaExhausted',
    says: 'is out of credit or over its limit (HTTP 429)',
  },
  {
    when: 'the base URL redirects',
    order: redirectTo(ELSEWHERE),
    type: 'ProviderConfigInvalid',
    says: 'redirects, and redirects are not followed: configure the URL that it redirects to (REFUSED_REDIRECT)',
  },
];

export const RETRIED: readonly ServiceFailure[] = [
  {
    when: 'a 429 says when to come back',
    order: { status: 429, headers: { 'retry-after': '1' } },
    type: 'ProviderRateLimited',
    says: 'rate-limited the request (HTTP 429)',
    nextRetryDelayMs: 1_000,
  },
  {
    when: 'a 429 echoes the key',
    service: 'openai',
    order: echoesKey(429),
    type: 'ProviderRateLimited',
    says: 'rate-limited the request (HTTP 429)',
  },
  {
    when: 'Anthropic is overloaded',
    order: { status: 529 },
    type: 'ProviderRateLimited',
    says: 'is overloaded (HTTP 529)',
  },
  {
    when: 'a 500 echoes the key',
    service: 'gemini',
    order: echoesKey(500),
    type: 'ProviderUnavailable',
    says: 'is not available (HTTP 500)',
  },
  {
    when: 'a proxy answers with a page',
    order: htmlPage(502),
    type: 'ProviderUnavailable',
    says: 'is not available (HTTP 502)',
  },
  {
    when: 'a captive portal answers 200 with a page',
    service: 'openai-compatible',
    order: htmlPage(200),
    type: 'ProviderUnavailable',
    says: 'sent a response that is not valid for its API (HTTP 200)',
  },
  {
    when: 'the connection is cut',
    order: { status: 'cut' },
    type: 'ProviderUnavailable',
    says: /^cannot be reached \((UND_ERR_SOCKET|ECONNRESET)\)$/,
  },
];
