/**
 * OpenAI's Responses, Chat Completions, Embeddings and Models APIs. An OpenAI-compatible service has the last three. The
 * refusal of a key repeats part of the key, as OpenAI's does.
 */
import { z } from 'zod';
import { readChat } from './openai-chat.js';
import { readResponses } from './openai-responses.js';
import type { Reply } from './stand-in.js';
import { bearerToken, type ModelRequest, textOf, type WireFormat } from './wire-format.js';

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

const embeddingsRequest = z.looseObject({ model: z.string(), input: z.union([z.string(), z.array(z.string())]) });

/** Shorter than a real one. */
const EMBEDDING = [0.25, -0.5, 0.75];

export const openai = openAiFormat('openai', '/openai', (path, body) =>
  path === '/v1/responses' ? readResponses(body) : readCompatible(path, body),
);

export const openaiCompatible = openAiFormat('openai-compatible', '/compatible', readCompatible);

function readCompatible(path: string, body: unknown): ModelRequest | undefined {
  if (path === '/v1/chat/completions') return readChat(body);
  return path === '/v1/embeddings' ? readEmbeddings(body) : undefined;
}

function readEmbeddings(body: unknown): ModelRequest {
  const { model, input } = embeddingsRequest.parse(body);
  const texts = [input].flat();
  return {
    model,
    prompt: textOf(texts),
    wantsJson: false,
    reply: (_answer, usage) => ({
      object: 'list',
      model,
      data: texts.map((_, index) => ({ object: 'embedding', index, embedding: EMBEDDING })),
      usage: { prompt_tokens: usage.input, total_tokens: usage.input },
    }),
  };
}

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

/** Shows the first eight and the last four characters of the key, and a short key completely. */
function incorrect(key: string): string {
  const shown = key.length > 12 ? `${key.slice(0, 8)}${'*'.repeat(key.length - 12)}${key.slice(-4)}` : key;
  return `Incorrect API key provided: ${shown}. You can find your API key at https://platform.openai.com/account/api-keys.`;
}

function error(status: number, message?: string): Reply {
  const [type, code, text] = ERRORS[status] ?? ['server_error', null, 'The server had an error.'];
  return { status, body: { error: { message: message ?? text, type, param: null, code } } };
}
