/** Checks a credential with one GET or POST that costs nothing. */

import type { CheckContext, CheckResult } from '../type.js';
import { classify } from './classify.js';
import { replyIn } from './error-body.js';
import type { MeaningOf } from './meanings.js';
import { answerFromResponse, answerOf, type ServiceAnswer } from './service-answer.js';

export interface ProbeRequest {
  readonly url: string;
  readonly init?: RequestInit;
}

/**
 * Asks with the key, and if that succeeds, without it: what a service shows to anyone proves nothing about the key.
 *
 * @param open - what is said of a service that answers without the key too
 */
export async function provenByKey(ask: (withKey: boolean) => Promise<CheckResult>, open: string): Promise<CheckResult> {
  const withKey = await ask(true);
  if (withKey.outcome !== 'ok') return withKey;
  const withoutKey = await ask(false);
  return withoutKey.outcome === 'ok' ? { outcome: 'cannot-tell', detail: open } : withKey;
}

/**
 * Sends the request and classifies the answer.
 *
 * @param meaningOf - what answers of the service mean, if it is not what their status says
 * @param judge - judges the body of a successful answer without an error in it, parsed, or `undefined` if it is not
 *   JSON; it returns `undefined` if the body does not show success
 * @returns `rejected` only if the service says that it does not know the key; `cannot-tell` if the service is
 *   unavailable, limits the rate, forbids the call, or sends an unexpected answer
 * @throws what `judge` throws, and the signal's reason if it is aborted
 */
export async function probe(
  meaningOf: MeaningOf,
  { url, init }: ProbeRequest,
  { fetch, signal }: CheckContext,
  judge: (body: unknown) => CheckResult | undefined,
): Promise<CheckResult> {
  let answer: ServiceAnswer | undefined;
  try {
    const response = await fetch(url, { ...init, signal });
    const text = await response.text();
    answer = answerFromResponse(response, text);
    const reply = replyIn(answer);
    const isSuccess = response.ok && !reply.isError && meaningOf(reply) === undefined;
    const judged = isSuccess ? judge(answer.body) : undefined;
    if (judged) return judged;
  } catch (error) {
    signal.throwIfAborted();
    answer = answerOf(error);
    if (!answer) throw error;
  }
  const { text, isDeadKey } = classify(answer, meaningOf);
  const status = answer.status === undefined ? '' : ` (HTTP ${answer.status})`;
  return { outcome: isDeadKey ? 'rejected' : 'cannot-tell', detail: `the service ${text}${status}` };
}
