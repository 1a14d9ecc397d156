/** Requests that services refuse although others take them, as their pages document it. */
import type { ServiceReply, ServiceRequest } from '../local-service.js';
import { error } from './kinds.js';

/** What a service refuses in a good request. */
export type Refuses = (request: ServiceRequest) => ServiceReply | undefined;

/** A service that refuses requests whose body has this text. */
export const refusing =
  (text: string | RegExp, status: number, body: object): Refuses =>
  (request) =>
    request.body.match(text) ? { status, body } : undefined;

export const first =
  (...all: readonly Refuses[]): Refuses =>
  (request) =>
    all.map((refuses) => refuses(request)).find(Boolean);

/** DeepSeek, and others that have JSON mode alone. */
export const onlyJsonMode = refusing(
  '"json_schema"',
  400,
  error({ message: 'This response_format type is unavailable now', code: 'invalid_request_error' }),
);
/** OpenAI's JSON mode, and that of others: https://platform.openai.com/docs/guides/structured-outputs#json-mode */
export const jsonModeNeedsTheWord: Refuses = ({ body }) =>
  body.includes('"json_object"') && !/\bJSON\b/i.test(body.replaceAll('"json_object"', ''))
    ? { status: 400, body: error({ message: "'messages' must contain the word 'json'", param: 'messages' }) }
    : undefined;
export const notStrict = refusing(
  /"strict":true/,
  400,
  error({
    message: "Invalid schema for response_format 'response': 'required' is required to be supplied",
    param: 'text.format.schema',
    code: 'invalid_json_schema',
  }),
);
export const maxTokens = refusing(
  '"max_tokens"',
  400,
  error({
    message:
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    param: 'max_tokens',
    code: 'unsupported_parameter',
  }),
);
/** https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference */
export const azure: Refuses = ({ path, headers }) => {
  if (headers['api-key'] === undefined) return { status: 401, body: error({ code: '401', message: 'Access denied' }) };
  if (path.includes('api-version=')) return undefined;
  return { status: 404, body: error({ code: '404', message: 'Resource not found' }) };
};
/** https://docs.mistral.ai/api: unknown fields are refused by FastAPI. */
export const mistral = refusing(/"(seed|stream_options)":/, 422, {
  object: 'error',
  message: { detail: [{ type: 'extra_forbidden', loc: ['body', 'seed'], msg: 'Extra inputs are not permitted' }] },
  type: 'invalid_request_message_error',
});
