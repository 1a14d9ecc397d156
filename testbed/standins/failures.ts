/**
 * Failures for `failNext`: those that the services document, and those that a hostile service could send. A plain 401,
 * 429, 500 or 529 needs none of them: a status without a body gets the service's documented body.
 */
import type { Failure } from '../../src/testing/services/controls.js';

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

/** OpenAI: no credit left. A 429 like a rate limit, but with another `error.code`. */
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

/** The whole key in the body, from which client libraries take their message. */
export function echoesKey(status: number): Failure {
  return { status, body: (key) => ({ type: 'error', error: { type: 'error', message: `refused: ${key}`, key } }) };
}

/** The answer of a proxy or a captive portal in between. */
export function htmlPage(status: number): Failure {
  return { status, headers: { 'content-type': 'text/html' }, body: '<html><body><h1>Bad gateway</h1></body></html>' };
}

/** Redirects the caller, and the key that it sends, elsewhere. */
export function redirectTo(location: string): Failure {
  return { status: 307, headers: { location }, body: '' };
}
