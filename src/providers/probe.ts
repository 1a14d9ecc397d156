/** One GET or POST that costs nothing, and what it tells of a credential. */
import { classify } from './classify.js';
import { answerFromResponse, answerOf, parseJson } from './service-answer.js';
import type { CheckContext, CheckResult } from './type.js';

export interface ProbeRequest {
  readonly url: string;
  readonly init?: RequestInit;
}

/**
 * Sends it.
 *
 * @param judge - what a success's body (parsed, `undefined` where it is no JSON) tells
 * @returns `rejected` only where the service says that the key is none of its own; away, limited, forbidden or
 *   unexpected is `cannot-tell`
 * @throws what `judge` throws, and the signal's reason where it aborts
 */
export async function probe(
  provider: { readonly type: string; readonly name: string },
  { url, init }: ProbeRequest,
  { fetch, signal }: CheckContext,
  judge: (body: unknown) => CheckResult | Promise<CheckResult>,
): Promise<CheckResult> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { ...init, signal });
    text = await response.text();
  } catch (error) {
    signal.throwIfAborted();
    const answer = answerOf(error);
    if (!answer) throw error;
    return { outcome: 'cannot-tell', detail: `the service ${classify(answer, provider).text}` };
  }
  if (response.ok) return judge(parseJson(text));
  const { text: detail, isDeadKey } = classify(answerFromResponse(response, text), provider);
  return {
    outcome: isDeadKey ? 'rejected' : 'cannot-tell',
    detail: `the service ${detail} (HTTP ${response.status})`,
  };
}
