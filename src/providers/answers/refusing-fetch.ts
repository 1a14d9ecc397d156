/**
 * A `fetch` whose caller sees no refusal: an answer that is about the credential, the credit, the rate or the service
 * becomes a failure, and other answers, also errors about the request such as 404, are returned.
 */
import type { Fetch } from '../../egress/http-client.js';
import { meaningOfStatus } from './classify.js';
import { replyIn } from './error-body.js';
import type { MeaningOf } from './meanings.js';
import { answerFromResponse, ServiceAnswerError } from './service-answer.js';

/** @returns a `fetch` that throws `ServiceAnswerError` for a refusal */
export function failingOnRefusal(fetch: Fetch, meaningOf: MeaningOf): Fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    // Services that report errors with the status 200 do so in JSON. Other answers may be long, or a stream.
    if (response.ok && !/\bjson\b/i.test(response.headers.get('content-type') ?? '')) return response;
    const text = await response.text();
    const answer = answerFromResponse(response, text);
    const reply = replyIn(answer);
    const ofStatus = response.ok ? undefined : meaningOfStatus(reply);
    if (meaningOf(reply) ?? (ofStatus === 'final' ? undefined : ofStatus)) throw new ServiceAnswerError(answer);
    const { status, statusText, headers, url } = response;
    const body = [204, 205, 304].includes(status) ? null : text;
    return Object.defineProperty(new Response(body, { status, statusText, headers }), 'url', { value: url });
  };
}
