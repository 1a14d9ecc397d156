/**
 * Classifies failed calls by HTTP status and by the codes that services document. If a service distinguishes two cases
 * only by the words of its message, the words decide. They are never passed on.
 */

import { egressRuleOf } from '../../egress/refusal.js';
import { classifyRpc } from './classify-rpc.js';
import { retryAfterMs } from './retry-after.js';
import type { ServiceAnswer } from './service-answer.js';
import {
  DEAD_KEY,
  OUT_OF_CREDIT,
  OVERLOADED,
  type ProviderKind,
  RATE_LIMITED,
  REQUEST_INVALID,
  UNAVAILABLE,
  type Verdict,
} from './verdict.js';

const FORBIDDEN: Verdict = { type: 'CredentialRejected', text: 'refused the credential' };
const NOT_ALLOWED: Verdict = {
  type: 'ProviderRequestInvalid',
  text: 'does not allow this request with this credential',
};
const WRONG_ADDRESS: Verdict = {
  type: 'CredentialRejected',
  text: 'does not accept the credential from this IP address',
};
const WRONG_ORGANIZATION: Verdict = { type: 'CredentialRejected', text: 'refused the organization of the credential' };

/**
 * Codes that are more specific than the status that they come with. Some of OpenAI's codes blame something that goes
 * with the key: its organization, or the caller's address. These are rejections, since a newer version of the provider
 * may correct it, but the key is not dead.
 */
const VERDICT_OF_CODE: ReadonlyMap<string, Verdict> = new Map([
  ['insufficient_quota', OUT_OF_CREDIT],
  ['credit_balance_exhausted', OUT_OF_CREDIT],
  ['billing_not_active', OUT_OF_CREDIT],
  ['billing_hard_limit_reached', OUT_OF_CREDIT],
  ['billing_error', OUT_OF_CREDIT],
  ['enforced_spend_limit_reached', OUT_OF_CREDIT],
  ['API_KEY_INVALID', DEAD_KEY],
  ['ip_not_authorized', WRONG_ADDRESS],
  ['no_organization', { type: 'CredentialRejected', text: 'refused the credential: it has no organization' }],
  ['invalid_organization', WRONG_ORGANIZATION],
  ['mismatched_organization', WRONG_ORGANIZATION],
  ['mismatched_project', { type: 'CredentialRejected', text: 'refused the project of the credential' }],
  ['unsupported_country_region_territory', { type: 'ProviderRequestInvalid', text: 'is not offered in this region' }],
  ['overloaded_error', OVERLOADED],
  ['server_is_overloaded', OVERLOADED],
  ['slow_down', OVERLOADED],
]);

/** Messages without a code, seen in production under a status that means something else. */
const VERDICT_OF_WORDS: readonly (readonly [RegExp, Verdict])[] = [
  [/credit balance is too low/i, OUT_OF_CREDIT], // Anthropic, 400
  [/organization has been disabled/i, DEAD_KEY], // Anthropic, 400
  [/API key was reported as leaked/i, DEAD_KEY], // Gemini, 403
  [/\bIP\b.{0,40}not authorized/i, WRONG_ADDRESS], // OpenAI, 401
];

/** Errors within Anthropic's streams have a type, but no status. */
const STATUS_OF_TYPE: ReadonlyMap<string, number> = new Map([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
]);

export function classify(answer: ServiceAnswer, provider: ProviderKind): Verdict {
  return { ...classifyAnswer(answer, provider), retryAfterMs: retryAfterMs(answer) };
}

function classifyAnswer(answer: ServiceAnswer, provider: ProviderKind): Verdict {
  if (answer.networkCode) return classifyNetwork(answer.networkCode);
  const { status, text } = answer;
  if (provider.type === 'rpc') return classifyRpc(answer) ?? classifyStatus(status, provider);
  const codes = codesIn(answer.body);
  const coded = codes.map((code) => VERDICT_OF_CODE.get(code)).find(Boolean);
  if (coded) return coded;
  const worded = VERDICT_OF_WORDS.find(([words]) => words.test(text));
  if (worded && status !== undefined && status >= 400) return worded[1];
  return classifyStatus(status ?? codes.map((code) => STATUS_OF_TYPE.get(code)).find(Boolean), provider);
}

function classifyStatus(status: number | undefined, provider: ProviderKind): Verdict {
  if (status === undefined) return UNAVAILABLE;
  if (status < 300) return { type: 'ProviderUnavailable', text: 'sent a response that is not valid for its API' };
  switch (status) {
    case 401:
      return DEAD_KEY;
    case 402:
      return OUT_OF_CREDIT;
    case 403:
      return answers401ToDeadKeys(provider) ? NOT_ALLOWED : FORBIDDEN;
    case 429:
      return RATE_LIMITED;
    case 529:
      return OVERLOADED;
    case 408: // request timeout
    case 409: // conflict: the vendors' own SDKs retry it
    case 425: // too early
      return UNAVAILABLE;
    default:
      return status < 500 ? REQUEST_INVALID : UNAVAILABLE;
  }
}

/** Whether 403 is only about what a valid key may do. Other services answer, or may answer, 403 to a dead key too. */
function answers401ToDeadKeys({ type, name }: ProviderKind): boolean {
  return (type === 'llm' || type === 'llm-admin') && (name === 'anthropic' || name === 'openai');
}

function classifyNetwork(code: string): Verdict {
  const refused = egressRuleOf(code);
  if (refused) return { type: 'ProviderConfigInvalid', text: refused };
  switch (code) {
    case 'REFUSED_REDIRECT':
      return {
        type: 'ProviderConfigInvalid',
        text: 'redirects, and redirects are not followed: configure the URL that it redirects to',
      };
    case 'REFUSED_ENCODING':
      return {
        type: 'ProviderConfigInvalid',
        text: 'answers in an encoding other than gzip, deflate and br: check its URL',
      };
    case 'UND_ERR_RES_EXCEEDED_MAX_SIZE':
      return { type: 'ResultTooLarge', text: 'sent a response larger than a step can return' };
    default:
      return /TIMEOUT|TIMEDOUT/.test(code)
        ? { type: 'ProviderUnavailable', text: 'did not answer in time' }
        : { type: 'ProviderUnavailable', text: 'cannot be reached' };
  }
}

/**
 * Every code that an error body of these services may carry: OpenAI's `code` and `type`, Anthropic's `type` and
 * `details.error_code`, and the `reason`s in Google's `details`.
 */
function codesIn(body: unknown): string[] {
  // Google's OpenAI-compatible endpoint sends the error within a list.
  const { error } = ((Array.isArray(body) ? body[0] : body) ?? {}) as { error?: unknown };
  if (typeof error !== 'object' || error === null) return [];
  const { code, type, details } = error as Readonly<Record<string, unknown>>;
  const more = (Array.isArray(details) ? details : [details]) as ({ reason?: unknown; error_code?: unknown } | null)[];
  const candidates = [code, type, ...more.flatMap((detail) => [detail?.reason, detail?.error_code])];
  return candidates.filter((candidate) => typeof candidate === 'string');
}
