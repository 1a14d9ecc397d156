/**
 * Reads the response of a JSON-RPC endpoint: it is a result, or an error, or it is not an answer. viem would take a body
 * without either for the result `undefined`, and loses the HTTP status of an error whose body it cannot parse.
 */
import type { Fetch } from '../../egress/http-client.js';
import { parseJson } from '../../redaction/parse-json.js';
import { errorIn, fieldsOf } from './error-body.js';
import { answerFromResponse, ServiceAnswerError } from './service-answer.js';

/** The result in a body without an error. `undefined` if there is none: a result is `null` or another JSON value. */
export function rpcResultIn(body: unknown): unknown {
  return errorIn(body) === undefined ? fieldsOf(only(body)).result : undefined;
}

/**
 * Wraps a `fetch` that viem calls. It returns only results and errors of JSON-RPC, each labelled as JSON. Anything else
 * is thrown as `ServiceAnswerError`, with its status.
 */
export function rpcAnswers(fetch: Fetch): Fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const text = await response.text();
    const body = parseJson(text);
    if (!isRpcError(body) && !(response.ok && rpcResultIn(body) !== undefined)) {
      throw new ServiceAnswerError(answerFromResponse(response, text));
    }
    const headers = new Headers(response.headers);
    headers.set('content-type', 'application/json');
    const unwrapped = Array.isArray(body) ? JSON.stringify(only(body)) : text;
    return new Response(unwrapped, { status: response.status, headers });
  };
}

/** Some gateways answer a single request with a list of one. */
function only(body: unknown): unknown {
  return Array.isArray(body) && body.length === 1 ? (body as unknown[])[0] : body;
}

/** As viem expects an error: it would not find the code in a text. */
function isRpcError(body: unknown): boolean {
  const { code, message } = fieldsOf(fieldsOf(only(body)).error);
  return typeof code === 'number' && typeof message === 'string';
}
