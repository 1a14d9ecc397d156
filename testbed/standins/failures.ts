/**
 * Failures as the services document them, and as a hostile one could answer, for `failNext`. Plain 401, 429, 500 and
 * 529 need none of these: a status alone gets the service's own body.
 */
import type { Failure } from './controls.js';

/** Anthropic: the tier's monthly spend cap. A 429 without `retry-after` that lasts until the month ends. */
export const anthropicSpendLimit = {
  provider: 'anthropic',
  status: 429,
  body: {
    type: 'error',
    error: {
      type: 'rate_limit_error',
      message: 'You have reached the monthly usage limit of your tier.',
      details: { error_code: 'enforced_spend_limit_reached' },
    },
    request_id: 'req_standin',
  },
} as const satisfies Failure;

/** OpenAI: no credit left. A 429 like a rate limit, told apart by `error.code`. */
export const openAiInsufficientQuota = {
  provider: 'openai',
  status: 429,
  body: {
    error: {
      message: 'You exceeded your current quota, please check your plan and billing details.',
      type: 'insufficient_quota',
      param: null,
      code: 'insufficient_quota',
    },
  },
} as const satisfies Failure;

/** The whole key in the body, where a client library takes its message from, and in a header. */
export function echoesKey(status: number): Failure {
  return { status, body: (key) => ({ type: 'error', error: { type: 'error', message: `refused: ${key}`, key } }) };
}

/** What a proxy or a captive portal in between answers. */
export function htmlPage(status: number): Failure {
  return { status, headers: { 'content-type': 'text/html' }, body: '<html><body><h1>Bad gateway</h1></body></html>' };
}

/** Sends the caller, and what it carries, elsewhere. */
export function redirectTo(location: string): Failure {
  return { status: 307, headers: { location }, body: '' };
}
