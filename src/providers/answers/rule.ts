/**
 * What one kind of answer means, as data that can be checked against a page of the service. A code decides before
 * words, and words decide only if there is no code for it: they change, and they may quote the caller's own prompt.
 */
import type { ServiceReply } from './error-body.js';
import type { AnswerMeaning } from './meanings.js';

/** All parts that a rule has must fit. */
export interface AnswerRule {
  readonly means: AnswerMeaning;
  /** The HTTP statuses, or those that the body names. Default: any. */
  readonly status?: readonly number[];
  /** One of these is a code of the body: its `code`, `type`, `status`, `reason` or `slug`. */
  readonly codes?: readonly (string | number)[];
  /** Fits the message of the service. With a 400 it is anchored, because such a message may quote the request. */
  readonly words?: RegExp;
  /** Fits the `data` of a JSON-RPC error. */
  readonly data?: RegExp;
  /** A response header, and what its value must fit. */
  readonly header?: readonly [name: string, value: RegExp];
}

/** The rules of one service, in the order in which they are tried. */
export interface ServiceRules {
  readonly service: string;
  /** The page that documents them. */
  readonly source: string;
  readonly rules: readonly AnswerRule[];
}

/** What the first rule that fits says. */
export function firstMeaning(services: readonly ServiceRules[], said: ServiceReply): AnswerMeaning | undefined {
  if (!said.isError) return undefined;
  return services.flatMap((service) => service.rules).find((rule) => fits(rule, said))?.means;
}

/** The same rules with those that have codes or headers before those that have only words or a status. */
export function codesFirst(services: readonly ServiceRules[]): readonly ServiceRules[] {
  const only = (wanted: boolean) =>
    services.map((each) => ({ ...each, rules: each.rules.filter((rule) => hasCode(rule) === wanted) }));
  return [...only(true), ...only(false)];
}

function hasCode({ codes, header }: AnswerRule): boolean {
  return codes !== undefined || header !== undefined;
}

function fits({ status, codes, words, data, header }: AnswerRule, said: ServiceReply): boolean {
  return (
    (status === undefined || said.statuses.some((each) => status.includes(each))) &&
    (codes === undefined || codes.some((code) => said.codes.includes(String(code)))) &&
    (words === undefined || (words.test(said.message) && (codes !== undefined || mayWordsDecide(said)))) &&
    (data === undefined || data.test(said.data)) &&
    (header === undefined || header[1].test(said.header(header[0]) ?? ''))
  );
}

/** A 400 with a code of its own says what it is. Its message is about the request, and may quote it. */
function mayWordsDecide({ status, hasOwnCode }: ServiceReply): boolean {
  return status !== 400 || !hasOwnCode;
}
