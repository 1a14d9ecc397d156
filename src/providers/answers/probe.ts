/** Checks a credential with one GET or POST that costs nothing. */

import { parseJson } from '../../redaction/parse-json.js';
import type { CheckContext, CheckResult } from '../type.js';
import { classify } from './classify.js';
import { errorIn } from './error-body.js';
import type { ProviderKind } from './meanings.js';
import { answerFromResponse, answerOf, type ServiceAnswer } from './service-answer.js';

export interface ProbeRequest {
  readonly url: string;
  readonly init?: RequestInit;
}

/**
 * Sends the request and classifies the answer.
 *
 * @param judge - judges the body of a successful answer without an error in it, parsed, or `undefined` if it is not
 *   JSON; it returns `undefined` if the body does not show success
 * @returns `rejected` only if the service says that it does not know the key; `cannot-tell` if the service is
 *   unavailable, limits the rate, forbids the call, or sends an unexpected answer
 * @throws what `judge` throws, and the signal's reason if it is aborted
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
    const body = parseJson(text);
    const judged = response.ok && errorIn(body) === undefined ? judge(body) : undefined;
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
