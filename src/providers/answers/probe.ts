/** One GET or POST that costs nothing, and what it tells of a credential. */

import { parseJson } from '../../redaction/parse-json.js';
import type { CheckContext, CheckResult } from '../type.js';
import { classify } from './classify.js';
import { answerFromResponse, answerOf, type ServiceAnswer } from './service-answer.js';
import type { ProviderKind } from './verdict.js';

export interface ProbeRequest {
  readonly url: string;
  readonly init?: RequestInit;
}

/**
 * Sends it.
 *
 * @param judge - what a successful answer's body (parsed; `undefined` where it is no JSON) tells; it returns
 *   `undefined` for what is no success after all
 * @returns `rejected` only where the service says that the key is none of its own; away, limited, forbidden or
 *   unexpected is `cannot-tell`
 * @throws what `judge` throws, and the signal's reason where it aborts
 */
export async function probe(
  provider: ProviderKind,
  { url, init }: ProbeRequest,
  { fetch, signal }: CheckContext,
  judge: (body: unknown) => CheckResult | undefined,
): Promise<CheckResult> {
  let answer: ServiceAnswer | undefined;
  try {
    const response = await fetch(url, { ...init, signal });
    const text = await response.text();
    const judged = response.ok ? judge(parseJson(text)) : undefined;
    if (judged) return judged;
    answer = answerFromResponse(response, text);
  } catch (error) {
    signal.throwIfAborted();
    answer = answerOf(error);
    if (!answer) throw error;
  }
  const { text, isDeadKey } = classify(answer, provider);
  const status = answer.status === undefined ? '' : ` (HTTP ${answer.status})`;
  return { outcome: isDeadKey ? 'rejected' : 'cannot-tell', detail: `the service ${text}${status}` };
}
