import type { FailureType } from '../../src/protocol/failure-types.js';
import type { LlmProvider } from '../../src/testing/services/wire-format.js';
import {
  anthropicSpendLimit,
  echoesKey,
  htmlPage,
  openAiInsufficientQuota,
  redirectTo,
} from '../../testbed/standins/failures.js';

/** The failure that a stand-in returns; see `failNext`. */
type Order = Omit<ReturnType<typeof echoesKey>, 'provider' | 'owner'>;

export interface ServiceFailure {
  readonly when: string;
  /** Default `anthropic`. */
  readonly service?: LlmProvider;
  /** Absent if the service does not know the key. */
  readonly order?: Order;
  readonly type: FailureType;
  /** The message, after the provider's name. */
  readonly message: string | RegExp;
  readonly nextRetryDelayMs?: number;
}

/** No server listens there, so a redirect that is followed fails in another way. */
const ELSEWHERE = 'http://127.0.0.1:9/';

export const NOT_RETRIED: readonly ServiceFailure[] = [
  { when: 'Anthropic does not know the key', type: 'CredentialRejected', message: 'refused the credential (HTTP 401)' },
  {
    when: 'OpenAI does not know the key, and repeats a part of it',
    service: 'openai',
    type: 'CredentialRejected',
    message: 'refused the credential (HTTP 401)',
  },
  {
    when: 'Gemini does not know the key, and answers 400',
    service: 'gemini',
    type: 'CredentialRejected',
    message: 'refused the credential (HTTP 400)',
  },
  {
    when: 'a compatible service does not know the key',
    service: 'openai-compatible',
    type: 'CredentialRejected',
    message: 'refused the credential (HTTP 401)',
  },
  {
    when: 'a 401 echoes the key',
    order: echoesKey(401),
    type: 'CredentialRejected',
    message: 'refused the credential (HTTP 401)',
  },
  {
    when: 'a compatible service answers 403, and echoes the key',
    service: 'openai-compatible',
    order: echoesKey(403),
    type: 'CredentialRejected',
    message: 'refused the credential (HTTP 403)',
  },
  {
    when: 'Anthropic answers 403, for a valid key without the permission',
    order: { status: 403 },
    type: 'ProviderRequestInvalid',
    message: 'does not allow this request with this credential (HTTP 403)',
  },
  {
    when: 'a 400 echoes the key',
    order: echoesKey(400),
    type: 'ProviderRequestInvalid',
    message: 'refused the request (HTTP 400)',
  },
  {
    when: 'the spend limit at Anthropic is reached',
    order: anthropicSpendLimit,
    type: 'ProviderQuotaExhausted',
    message: 'is out of credit or over its limit (HTTP 429)',
  },
  {
    when: 'no credit is left at OpenAI',
    service: 'openai',
    order: openAiInsufficientQuota,
    type: 'ProviderQuotaExhausted',
    message: 'is out of credit or over its limit (HTTP 429)',
  },
  {
    when: 'the base URL redirects',
    order: redirectTo(ELSEWHERE),
    type: 'ProviderConfigInvalid',
    message: 'redirects, and redirects are not followed: configure the URL that it redirects to (REFUSED_REDIRECT)',
  },
];

export const RETRIED: readonly ServiceFailure[] = [
  {
    when: 'a 429 has a retry-after header',
    order: { status: 429, headers: { 'retry-after': '1' } },
    type: 'ProviderRateLimited',
    message: 'rate-limited the request (HTTP 429)',
    nextRetryDelayMs: 1_000,
  },
  {
    when: 'a 429 echoes the key',
    service: 'openai',
    order: echoesKey(429),
    type: 'ProviderRateLimited',
    message: 'rate-limited the request (HTTP 429)',
  },
  {
    when: 'Anthropic is overloaded',
    order: { status: 529 },
    type: 'ProviderRateLimited',
    message: 'is overloaded (HTTP 529)',
  },
  {
    when: 'a 500 echoes the key',
    service: 'gemini',
    order: echoesKey(500),
    type: 'ProviderUnavailable',
    message: 'is not available (HTTP 500)',
  },
  {
    when: 'a proxy answers with an HTML page',
    order: htmlPage(502),
    type: 'ProviderUnavailable',
    message: 'is not available (HTTP 502)',
  },
  {
    when: 'a captive portal answers 200 with an HTML page',
    service: 'openai-compatible',
    order: htmlPage(200),
    type: 'ProviderUnavailable',
    message: 'sent a response that is not valid for its API (HTTP 200)',
  },
  {
    when: 'the connection is cut',
    order: { status: 'cut' },
    type: 'ProviderUnavailable',
    message: /^cannot be reached \((UND_ERR_SOCKET|ECONNRESET)\)$/,
  },
];
