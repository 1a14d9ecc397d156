/**
 * Classifies failed calls: by the rules of the services (`rules/`), and if none fits, by the HTTP status. Nothing that a
 * service said is passed on.
 */

import { egressRuleOf } from '../../egress/refusal.js';
import { type Said, saidIn } from './error-body.js';
import { MEANINGS, type Meaning, type ProviderKind, type Verdict } from './meanings.js';
import { retryAfterMs } from './retry-after.js';
import { revertIn } from './revert.js';
import { codesFirst, firstMeaning, type ServiceRules } from './rule.js';
import { ANY_MODEL_SERVICE, FIREWALLS, TENDERLY } from './rules/any-service.js';
import { CLOUDS, COMPATIBLE, GATEWAYS } from './rules/compatible-services.js';
import { FAILED_CODES, JSON_RPC } from './rules/json-rpc.js';
import { ANTHROPIC, GEMINI, OPENAI } from './rules/language-models.js';
import type { ServiceAnswer } from './service-answer.js';

/**
 * All of them for each provider of a model, because a gateway passes on what the service behind it says, and a
 * workspace chooses the name of a compatible service.
 */
const MODEL_RULES = codesFirst([
  ...FIREWALLS,
  ...[...ANTHROPIC, ...OPENAI, ...GEMINI],
  ...[...GATEWAYS, ...COMPATIBLE, ...CLOUDS],
  ...ANY_MODEL_SERVICE,
]);
const RULES: Readonly<Record<string, readonly ServiceRules[]>> = {
  rpc: [...FIREWALLS, ...JSON_RPC],
  tenderly: codesFirst([...FIREWALLS, ...TENDERLY]),
};

export function classify(answer: ServiceAnswer, provider: ProviderKind): Verdict {
  if (answer.networkCode) return classifyNetwork(answer.networkCode);
  const said = saidIn(answer);
  const ruled = firstMeaning(RULES[provider.type] ?? MODEL_RULES, said);
  const meaning = isLargerThanItsLimit(said) ? 'too large for any wait' : (ruled ?? meaningOfStatus(said, provider));
  const revert = meaning === 'reverted' ? revertIn(said) : undefined;
  return { ...MEANINGS[meaning], retryAfterMs: retryAfterMs(answer), ...(revert && { revert }) };
}

/** OpenAI, Groq and others: `Limit 30,000, Used 20000, Requested 61337`. What is more than the limit fits no minute. */
function isLargerThanItsLimit({ status, message }: Said): boolean {
  const [, limit, requested] = /\blimit:? (\d+)\b.*\brequested:? (\d+)\b/i.exec(message.replaceAll(',', '')) ?? [];
  return status === 429 && limit !== undefined && Number(requested) > Number(limit);
}

function meaningOfStatus({ status, codes, isError }: Said, provider: ProviderKind): Meaning {
  if (provider.type === 'rpc' && isError && (status === undefined || status < 400)) {
    if (codes.some((code) => FAILED_CODES.includes(Number(code)))) return 'failed';
    // An error without a number is not an answer of JSON-RPC: its `error` is a text.
    return codes.some((code) => /^-?\d+$/.test(code)) ? 'final' : 'not an answer';
  }
  if (status === undefined) return 'passing';
  if (status < 400) return 'not an answer';
  switch (status) {
    case 401:
      return 'key refused';
    case 402:
      return 'out of credit';
    case 403:
      return answers401ToDeadKeys(provider) ? 'scope or model refused' : 'key not accepted';
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
