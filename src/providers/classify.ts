/**
 * What a failed call means: from the HTTP status and the codes that services document. Texts of messages decide only
 * where a service gives no code, and only between outcomes; nothing of them is passed on.
 *
 * 401 is a refused credential. 403 is one where a service has no 401 for dead keys (JSON-RPC hosts, Gemini, Tenderly,
 * unknown compatible ones); Anthropic and OpenAI answer 403 to a living key that may not do this, or not from here.
 */
import type { FailureType } from '../protocol/errors.js';
import { classifyRpc } from './classify-rpc.js';
import { retryAfterMs } from './retry-after.js';
import type { ServiceAnswer } from './service-answer.js';

export interface Outcome {
  readonly type: FailureType;
  /** Fixed text, continuing the provider's name: `refused the credential`. */
  readonly text: string;
  /** The service says that this key is no key of its own: the only thing that a check calls a rejection. */
  readonly isDeadKey?: boolean;
  readonly retryAfterMs?: number;
}

const QUOTA_CODES = new Set([
  'insufficient_quota',
  'credit_balance_exhausted',
  'billing_not_active',
  'billing_hard_limit_reached',
  'billing_error',
  'enforced_spend_limit_reached',
]);

/** OpenAI answers these with 401, though the key is alive: what stands beside it is refused. */
const BESIDE_THE_KEY: Readonly<Record<string, string>> = {
  ip_not_authorized: 'does not take the credential from this address',
  invalid_organization: 'refused the organization that goes with the credential',
  mismatched_organization: 'refused the organization that goes with the credential',
  mismatched_project: 'refused the project that goes with the credential',
};

/** What Anthropic's errors within a stream mean, which carry no status. */
const STATUS_OF_TYPE: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

const REJECTED: Outcome = { type: 'CredentialRejected', text: 'refused the credential', isDeadKey: true };
const REQUEST_INVALID: Outcome = { type: 'ProviderRequestInvalid', text: 'refused the request' };
const UNAVAILABLE: Outcome = { type: 'ProviderUnavailable', text: 'is not available' };

/** @param provider - type and name: the same status means different things at different services */
export function classify(answer: ServiceAnswer, provider: { readonly type: string; readonly name: string }): Outcome {
  const outcome = withoutRetryAfter(answer, provider);
  return { ...outcome, retryAfterMs: retryAfterMs(answer) };
}

function withoutRetryAfter(answer: ServiceAnswer, provider: { type: string; name: string }): Outcome {
  if (answer.networkCode) return classifyNetwork(answer.networkCode);
  if (provider.type === 'rpc') {
    const outcome = classifyRpc(answer);
    if (outcome) return outcome;
  }
  const codes = codesIn(answer.body);
  if (answer.status === 402 || codes.some((code) => QUOTA_CODES.has(code))) {
    return { type: 'ProviderQuotaExhausted', text: 'is out of credit or over its spend limit' };
  }
  if (codes.includes('API_KEY_INVALID')) return REJECTED;
  const status = answer.status ?? STATUS_OF_TYPE[codes.find((code) => code in STATUS_OF_TYPE) ?? ''];
  return classifyStatus(status, codes, provider);
}

function classifyStatus(
  status: number | undefined,
  codes: readonly string[],
  provider: { type: string; name: string },
): Outcome {
  switch (status) {
    case 401: {
      const beside = codes.find((code) => code in BESIDE_THE_KEY);
      return beside ? { type: 'CredentialRejected', text: BESIDE_THE_KEY[beside] as string } : REJECTED;
    }
    case 403:
      return provider.type === 'llm' && (provider.name === 'anthropic' || provider.name === 'openai')
        ? { type: 'ProviderRequestInvalid', text: 'does not allow this request with this credential' }
        : { type: 'CredentialRejected', text: 'refused the credential' };
    case 429:
      return { type: 'ProviderRateLimited', text: 'limits the rate' };
    case 529:
      return { type: 'ProviderRateLimited', text: 'is overloaded' };
    case 408:
    case 409:
    case 425:
      return UNAVAILABLE;
  }
  if (status !== undefined && status >= 400 && status < 500) return REQUEST_INVALID;
  if (status !== undefined && status < 300) {
    return { type: 'ProviderUnavailable', text: 'answered with what is no answer of its API' };
  }
  return UNAVAILABLE;
}

function classifyNetwork(code: string): Outcome {
  switch (code) {
    case 'REFUSED_REDIRECT':
      return { type: 'ProviderConfigInvalid', text: 'redirects, which is not followed: configure where it leads to' };
    case 'REFUSED_INSECURE_URL':
      return { type: 'ProviderConfigInvalid', text: 'is configured with plain http, which is for loopback only' };
    case 'UND_ERR_RES_EXCEEDED_MAX_SIZE':
      return { type: 'ProviderRequestInvalid', text: 'answered with more bytes than are taken' };
  }
  return /TIMEOUT|TIMEDOUT/.test(code)
    ? { type: 'ProviderUnavailable', text: 'did not answer in time' }
    : { type: 'ProviderUnavailable', text: 'cannot be reached' };
}

/**
 * Every code that an error body of these services may carry: OpenAI's `code` and `type`, Anthropic's `type` and
 * `details.error_code`, Google's `status` and the `reason`s in its `details`, Tenderly's `slug`.
 */
function codesIn(body: unknown): string[] {
  // Google's OpenAI-compatible endpoint sends the error within a list.
  const { error } = ((Array.isArray(body) ? body[0] : body) ?? {}) as { error?: unknown };
  if (typeof error !== 'object' || error === null) return [];
  const { code, type, status, slug, details } = error as Readonly<Record<string, unknown>>;
  const reasons = Array.isArray(details)
    ? details.map((detail) => (detail as { reason?: unknown } | null)?.reason)
    : [(details as { error_code?: unknown } | null | undefined)?.error_code];
  return [code, type, status, slug, ...reasons].filter((each) => typeof each === 'string');
}
