/**
 * Anthropic's Messages and Models APIs. Keys come in `x-api-key` (the documented header, and the AI SDK's) or as a
 * bearer token (what `@anthropic-ai/sdk` sends since its version 1).
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '../../redaction/parse-json.js';
import type { Reply } from './stand-in.js';
import {
  bearerToken,
  eventOf,
  jsonSchema,
  type ModelAnswer,
  piecesOf,
  single,
  textOf,
  type Usage,
  type WireFormat,
} from './wire-format.js';

const MODELS = ['claude-sonnet-5-5', 'claude-haiku-5-5'];

const ERRORS: Readonly<Record<number, readonly [type: string, message: string]>> = {
  400: ['invalid_request_error', 'The request does not fit.'],
  401: ['authentication_error', 'invalid x-api-key'],
  402: ['billing_error', 'There is a problem with your billing or payment information.'],
  403: ['permission_error', 'Your API key does not have permission to use the specified resource.'],
  404: ['not_found_error', 'The requested resource could not be found.'],
  413: ['request_too_large', 'Request exceeds the maximum allowed number of bytes.'],
  429: ['rate_limit_error', "This request would exceed your account's rate limit. Please try again later."],
  500: ['api_error', 'Internal server error'],
  504: ['timeout_error', 'The request timed out while processing.'],
  529: ['overloaded_error', 'Overloaded'],
};

const tool = z.looseObject({ name: z.string(), input_schema: jsonSchema.optional() });
const messagesRequest = z.looseObject({
  model: z.string(),
  max_tokens: z.int().positive(),
  system: z.unknown().optional(),
  messages: z.array(z.unknown()).min(1),
  stream: z.boolean().optional(),
  output_config: z
    .looseObject({ format: z.looseObject({ type: z.literal('json_schema'), schema: jsonSchema }).optional() })
    .optional(),
  tools: z.array(tool).optional(),
  tool_choice: z.looseObject({ type: z.string(), name: z.string().optional() }).optional(),
});

export const anthropic: WireFormat = {
  provider: 'anthropic',
  prefix: '/anthropic',
  requiredHeaders: ['anthropic-version'],
  keyOf: (headers) => single(headers['x-api-key']) ?? bearerToken(headers),
  refusal: (key) => error(401, key === undefined ? 'x-api-key header is required' : undefined),
  error,

  models(path) {
    if (path !== '/v1/models') return undefined;
    const data = MODELS.map((id) => ({ type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z' }));
    return { status: 200, body: { data, has_more: false, first_id: MODELS[0], last_id: MODELS.at(-1) } };
  },

  read(path, body) {
    if (path !== '/v1/messages') return undefined;
    const { model, system, messages, output_config, tools, tool_choice, stream } = messagesRequest.parse(body);
    const forced = forcedTool(tools, tool_choice);
    const schema = forced ? forced.input_schema : output_config?.format?.schema;
    return {
      model,
      prompt: textOf([system, messages]),
      wantsJson: schema !== undefined,
      schema,
      tools: forced ? [] : (tools ?? []).map(({ name, input_schema }) => ({ name, schema: input_schema })),
      hasToolResult: JSON.stringify(messages).includes('"tool_result"'),
      reply(answer, usage) {
        const message = messageOf(model, forced ? { text: '', calls: [callOf(forced.name, answer)] } : answer, usage);
        return stream ? { events: eventsOf(message) } : message;
      },
    };
  },
};

function callOf(name: string, { text }: ModelAnswer) {
  return { name, args: parseJson(text) ?? text };
}

function messageOf(model: string, { text, calls }: ModelAnswer, { input, output }: Usage) {
  const uses = calls.map(({ name, args }) => ({
    ...{ type: 'tool_use' as const, id: `toolu_${randomUUID().replaceAll('-', '')}`, name, input: args },
  }));
  return {
    id: `msg_${randomUUID()}`,
    type: 'message',
    role: 'assistant',
    model,
    content: uses.length > 0 ? uses : [{ type: 'text' as const, text }],
    stop_reason: uses.length > 0 ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: input, output_tokens: output },
  };
}

/** https://docs.anthropic.com/en/api/messages-streaming */
function eventsOf({ content, stop_reason, usage, ...message }: ReturnType<typeof messageOf>): string[] {
  const started = { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } };
  const blocks = content.flatMap((block, index) => {
    const isText = block.type === 'text';
    const pieces = piecesOf(isText ? block.text : JSON.stringify(block.input));
    return [
      { type: 'content_block_start', index, content_block: isText ? { ...block, text: '' } : { ...block, input: {} } },
      ...pieces.map((piece) => ({
        ...{ type: 'content_block_delta', index },
        delta: isText ? { type: 'text_delta', text: piece } : { type: 'input_json_delta', partial_json: piece },
      })),
      { type: 'content_block_stop', index },
    ];
  });
  const all = [
    { type: 'message_start', message: started },
    { type: 'ping' },
    ...blocks,
    {
      type: 'message_delta',
      delta: { stop_reason, stop_sequence: null },
      usage: { output_tokens: usage.output_tokens },
    },
    { type: 'message_stop' },
  ];
  return all.map((event) => eventOf(event, event.type));
}

/** A tool that must be called: so the AI SDK gets an object from a model without structured outputs. */
function forcedTool(tools: z.infer<typeof tool>[] = [], choice?: { type: string; name?: string }) {
  if (choice?.type === 'any') return tools[0];
  return choice?.type === 'tool' ? tools.find(({ name }) => name === choice.name) : undefined;
}

function error(status: number, message?: string): Reply {
  const [type, text] = ERRORS[status] ?? ['api_error', 'Internal server error'];
  const requestId = `req_${randomUUID()}`;
  return {
    status,
    headers: { 'request-id': requestId },
    body: { type: 'error', error: { type, message: message ?? text }, request_id: requestId },
  };
}
