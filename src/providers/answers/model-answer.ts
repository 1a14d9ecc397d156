/**
 * Reads a successful response of a language model, before the AI SDK does: an error that came with HTTP 200 would become
 * an empty text, and a body of another shape an error of the SDK's own code.
 */
import type { Fetch } from '../../egress/http-client.js';
import { parseJson } from '../../redaction/parse-json.js';
import { errorIn, fieldsOf } from './error-body.js';
import { answerFromResponse, ServiceAnswerError } from './service-answer.js';

/** The paths of calls to language models. Embeddings and images have other answers. */
const MODEL_CALL = /\/(chat\/completions|responses|messages)$|:(stream)?generateContent$/i;

/** Wraps a `fetch` of a vendor's client. A success that holds no answer is thrown as `ServiceAnswerError`. */
export function modelAnswers(fetch: Fetch): Fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const { pathname } = new URL(input instanceof Request ? input.url : String(input));
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    // A stream has no body that can be read before it.
    if (!response.ok || (isStreamAsked(pathname, init) && !isJson)) return response;
    const text = await response.text();
    const body = parseJson(text);
    if (errorIn(body) !== undefined || (MODEL_CALL.test(pathname) && !isAnswer(body))) {
      throw new ServiceAnswerError(answerFromResponse(response, text));
    }
    return new Response(text, { status: response.status, headers: response.headers });
  };
}

function isStreamAsked(pathname: string, init: RequestInit | undefined): boolean {
  const asked = typeof init?.body === 'string' ? fieldsOf(parseJson(init.body)).stream : undefined;
  return asked === true || pathname.endsWith(':streamGenerateContent');
}

/** Whether it has the part that holds the answer in one of the four APIs. A refusal and an empty text are answers. */
function isAnswer(body: unknown): boolean {
  const { choices, content, output, status, candidates, promptFeedback } = fieldsOf(body);
  if (Array.isArray(choices)) {
    const choice = fieldsOf(choices[0]);
    return choice.finish_reason !== 'error' && typeof choice.message === 'object' && choice.message !== null;
  }
  if (Array.isArray(output)) return status !== 'failed' && status !== 'cancelled';
  if (Array.isArray(candidates) && candidates.length > 0) return true;
  return Array.isArray(content) || Object.keys(fieldsOf(promptFeedback)).length > 0;
}
