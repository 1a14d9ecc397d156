/**
 * OpenAI's Responses, Chat Completions and Models APIs. An OpenAI-compatible service has the latter two. The refusal of
 * a key repeats part of the key, as OpenAI's does.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Reply } from './stand-in.js';
import { bearerToken, jsonSchema, type ModelRequest, noStream, textOf, type WireFormat } from './wire-format.js';

const MODELS = ['gpt-5-mini', 'gpt-4o-mini'];

const ERRORS: Readonly<Record<number, readonly [type: string, code: string | null, message: string]>> = {
  400: ['invalid_request_error', null, 'The request does not fit.'],
  401: ['invalid_request_error', 'invalid_api_key', 'Incorrect API key provided.'],
  403: ['invalid_request_error', 'unsupported_country_region_territory', 'Country, region, or territory not supported'],
  404: ['invalid_request_error', null, 'Invalid URL'],
  429: ['requests', 'rate_limit_exceeded', 'Rate limit reached. Please try again later.'],
  500: ['server_error', null, 'The server had an error while processing your request.'],
  503: ['server_error', null, 'The engine is currently overloaded, please try again later.'],
};

const responsesRequest = z.looseObject({
  model: z.string(),
  instructions: z.unknown().optional(),
  input: z.union([z.string(), z.array(z.unknown()).min(1)]),
  stream: noStream,
  text: z
    .looseObject({ format: z.looseObject({ type: z.string(), schema: jsonSchema.optional() }).optional() })
    .optional(),
});

const chatRequest = z.looseObject({
  model: z.string(),
  messages: z.array(z.unknown()).min(1),
  stream: noStream,
  response_format: z
    .looseObject({ type: z.string(), json_schema: z.looseObject({ schema: jsonSchema.optional() }).optional() })
    .optional(),
});

export const openai = openAiFormat('openai', '/openai', (path, body) =>
  path === '/v1/responses' ? readResponses(body) : readChat(path, body),
);

export const openaiCompatible = openAiFormat('openai-compatible', '/compatible', readChat);

function openAiFormat(
  provider: 'openai' | 'openai-compatible',
  prefix: string,
  read: (path: string, body: unknown) => ModelRequest | undefined,
): WireFormat {
  return {
    provider,
    prefix,
    requiredHeaders: [],
    keyOf: bearerToken,
    refusal: (key) => error(401, key === undefined ? "You didn't provide an API key." : incorrect(key)),
    error,
    models(path) {
      if (path !== '/v1/models') return undefined;
      const data = MODELS.map((id) => ({ id, object: 'model', created: 1_754_000_000, owned_by: provider }));
      return { status: 200, body: { object: 'list', data } };
    },
    read,
  };
}

function readResponses(body: unknown): ModelRequest {
  const { model, instructions, input, text } = responsesRequest.parse(body);
  const format = text?.format;
  return {
    model,
    prompt: textOf([instructions, input]),
    wantsJson: isJson(format?.type),
    schema: format?.schema,
    reply: (answer, usage) => ({
      id: `resp_${randomUUID()}`,
      object: 'response',
      created_at: nowInSeconds(),
      status: 'completed',
      error: null,
      incomplete_details: null,
      model,
      output: [
        {
          type: 'message',
          id: `msg_${randomUUID()}`,
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', text: answer, annotations: [], logprobs: [] }],
        },
      ],
      usage: {
        input_tokens: usage.input,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: usage.output,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: usage.input + usage.output,
      },
    }),
  };
}

function readChat(path: string, body: unknown): ModelRequest | undefined {
  if (path !== '/v1/chat/completions') return undefined;
  const { model, messages, response_format } = chatRequest.parse(body);
  return {
    model,
    prompt: textOf(messages),
    wantsJson: isJson(response_format?.type),
    schema: response_format?.json_schema?.schema,
    reply: (answer, usage) => ({
      id: `chatcmpl-${randomUUID()}`,
      object: 'chat.completion',
      created: nowInSeconds(),
      model,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: answer, refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: usage.input,
        completion_tokens: usage.output,
        total_tokens: usage.input + usage.output,
      },
    }),
  };
}

function isJson(type: string | undefined): boolean {
  return type === 'json_schema' || type === 'json_object';
}

/** Shows the first eight and the last four characters of the key, and a short key completely. */
function incorrect(key: string): string {
  const shown = key.length > 12 ? `${key.slice(0, 8)}${'*'.repeat(key.length - 12)}${key.slice(-4)}` : key;
  return `Incorrect API key provided: ${shown}. You can find your API key at https://platform.openai.com/account/api-keys.`;
}

function error(status: number, message?: string): Reply {
  const [type, code, text] = ERRORS[status] ?? ['server_error', null, 'The server had an error.'];
  return { status, body: { error: { message: message ?? text, type, param: null, code } } };
}

function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
