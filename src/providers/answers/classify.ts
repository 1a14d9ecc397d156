/**
 * Classifies failed calls: by the rules of the service's provider type, and if none fits, by the HTTP status. Nothing
 * that a service said is passed on.
 */

import { egressRuleOf } from '../../egress/refusal.js';
import { replyIn, type ServiceReply } from './error-body.js';
import { type AnswerMeaning, MEANINGS, type MeaningOf, type Verdict } from './meanings.js';
import { retryAfterMs } from './retry-after.js';
import { revertIn } from './revert.js';
import type { ServiceAnswer } from './service-answer.js';

/** @param meaningOf - the rules of the service. `undefined` from it leaves the answer to its status */
export function classify(answer: ServiceAnswer, meaningOf: MeaningOf): Verdict {
  if (answer.networkCode) return classifyNetwork(answer.networkCode);
  const reply = replyIn(answer);
  const meaning = isLargerThanItsLimit(reply)
    ? 'too large for any wait'
    : (meaningOf(reply) ?? meaningOfStatus(reply) ?? 'not an answer');
  const revert = meaning === 'reverted' ? revertIn(reply) : undefined;
  return { ...MEANINGS[meaning], retryAfterMs: retryAfterMs(answer), ...(revert && { revert }) };
}

/** OpenAI, Groq and others: `Limit 30,000, Used 20000, Requested 61337`. What is more than the limit fits no minute. */
function isLargerThanItsLimit({ status, message }: ServiceReply): boolean {
  const [, limit, requested] = /\blimit:? (\d+)\b.*\brequested:? (\d+)\b/i.exec(message.replaceAll(',', '')) ?? [];
  return status === 429 && limit !== undefined && Number(requested) > Number(limit);
}

/** What the HTTP status means by itself. `undefined` for a success. */
export function meaningOfStatus({ status }: ServiceReply): AnswerMeaning | undefined {
  if (status === undefined) return 'passing';
  if (status < 400) return undefined;
  switch (status) {
    case 401:
      return 'key refused';
    case 402:
      return 'out of credit';
    case 403:
      return 'key not accepted';
    case 429:
    case 420: // of the time before 429
      return 'rate limited';
    case 529:
      return 'overloaded';
    case 408: // request timeout
    case 409: // conflict: the vendors' own SDKs retry it
    case 421: // misdirected request
    case 423: // locked
    case 424: // failed dependency: Groq, Amazon Bedrock
    case 425: // too early
    case 444: // nginx: no response
    case 460: // a load balancer of AWS: the connection was closed
    case 499: // Google: cancelled; nginx: the connection was closed
      return 'passing';
    default:
      return status < 500 ? 'final' : 'passing';
  }
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
