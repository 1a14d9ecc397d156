/** Which rules the answers of the services of a provider type are read by. */
import type { ServiceReply } from '../error-body.js';
import type { AnswerMeaning, MeaningOf } from '../meanings.js';
import { type AnswerRule, codesFirst, firstMeaning } from '../rule.js';
import { ANY_MODEL_SERVICE, FIREWALLS, TENDERLY } from './any-service.js';
import { CLOUDS, COMPATIBLE, GATEWAYS } from './compatible-services.js';
import { FAILED_CODES, JSON_RPC } from './json-rpc.js';
import { ANTHROPIC, GEMINI, OPENAI } from './language-models.js';

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
const NODE_RULES = [...FIREWALLS, ...JSON_RPC];
const TENDERLY_RULES = codesFirst([...FIREWALLS, ...TENDERLY]);

/** Vendors that answer dead keys with 401, so 403 is only about what a valid key may do. Others may use it for both. */
const ANSWER_401_TO_DEAD_KEYS: readonly string[] = ['anthropic', 'openai'];

export function meaningOfModel(reply: ServiceReply, { name }: { readonly name: string }): AnswerMeaning | undefined {
  const ruled = firstMeaning(MODEL_RULES, reply);
  const isScope = reply.status === 403 && ANSWER_401_TO_DEAD_KEYS.includes(name);
  return ruled ?? (isScope ? 'scope or model refused' : undefined);
}

export function meaningOfTenderly(reply: ServiceReply): AnswerMeaning | undefined {
  return firstMeaning(TENDERLY_RULES, reply);
}

/** Nodes report errors with HTTP 200. */
export function meaningOfNode(reply: ServiceReply): AnswerMeaning | undefined {
  const ruled = firstMeaning(NODE_RULES, reply);
  if (ruled || !reply.isError || (reply.status ?? 0) >= 400) return ruled;
  if (reply.codes.some((code) => FAILED_CODES.includes(Number(code)))) return 'failed';
  // An error without a number is not an answer of JSON-RPC: its `error` is a text.
  return reply.codes.some((code) => /^-?\d+$/.test(code)) ? 'final' : 'not an answer';
}

/** The rules of a type, after those of the firewalls that may be in front of any service. */
export function meaningByRules(service: string, rules: readonly AnswerRule[]): MeaningOf {
  const all = [...FIREWALLS, { service, source: '', rules }];
  return (reply) => firstMeaning(all, reply);
}
