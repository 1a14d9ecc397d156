/** OpenAI's Responses API: text, objects, one round of tool calls; in one body, or as a stream of events. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import {
  isJsonFormat,
  jsonSchema,
  type ModelAnswer,
  type ModelRequest,
  nowInSeconds,
  piecesOf,
  textOf,
  type Usage,
} from './wire-format.js';

const tool = z.looseObject({ type: z.string(), name: z.string().optional(), parameters: jsonSchema.nullish() });

const responsesRequest = z.looseObject({
  model: z.string(),
  instructions: z.unknown().optional(),
  input: z.union([z.string(), z.array(z.unknown()).min(1)]),
  stream: z.boolean().nullish(),
  tools: z.array(tool).nullish(),
  text: z
    .looseObject({ format: z.looseObject({ type: z.string(), schema: jsonSchema.optional() }).optional() })
    .nullish(),
});

export function readResponses(body: unknown): ModelRequest {
  const { model, instructions, input, text, stream, tools } = responsesRequest.parse(body);
  const format = text?.format;
  const items = Array.isArray(input) ? (input as { readonly type?: string }[]) : [];
  return {
    model,
    prompt: textOf([instructions, input]),
    wantsJson: isJsonFormat(format?.type),
    schema: format?.schema,
    tools: (tools ?? []).flatMap(({ type, name, parameters }) =>
      type === 'function' && name ? [{ name, schema: parameters ?? undefined }] : [],
    ),
    hasToolResult: items.some(({ type }) => type === 'function_call_output'),
    reply(answer, usage) {
      const response = responseOf(model, answer, usage);
      return stream ? { events: eventsOf(response) } : response;
    },
  };
}

function responseOf(model: string, { text, calls }: ModelAnswer, usage: Usage) {
  const message = {
    type: 'message',
    id: `msg_${randomUUID()}`,
    status: 'completed',
    role: 'assistant',
    content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  };
  const functionCalls = calls.map(({ name, args }) => ({
    type: 'function_call',
    id: `fc_${randomUUID()}`,
    call_id: `call_${randomUUID()}`,
    status: 'completed',
    name,
    arguments: JSON.stringify(args),
  }));
  return {
    id: `resp_${randomUUID()}`,
    object: 'response',
    created_at: nowInSeconds(),
    status: 'completed',
    error: null,
    incomplete_details: null,
    model,
    output: calls.length > 0 ? functionCalls : [message],
    usage: {
      input_tokens: usage.input,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: usage.output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: usage.input + usage.output,
    },
  };
}

function eventsOf(response: ReturnType<typeof responseOf>): string[] {
  const begun = { ...response, status: 'in_progress', output: [], usage: null };
  const items = response.output.flatMap((item, output_index) => {
    const { content, ...started } = { content: undefined, ...item };
    const added = {
      type: 'response.output_item.added',
      output_index,
      item: { ...started, ...(content && { content: [] }) },
    };
    const done = { type: 'response.output_item.done', output_index, item };
    if (!('content' in item)) return [added, done];
    const place = { item_id: item.id, output_index, content_index: 0 };
    const [part] = item.content;
    const deltas = piecesOf(part?.text ?? '').map((delta) => ({
      ...{ type: 'response.output_text.delta', ...place, delta, logprobs: [] },
    }));
    return [
      added,
      { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
      ...deltas,
      { type: 'response.output_text.done', ...place, text: part?.text, logprobs: [] },
      { type: 'response.content_part.done', ...place, part },
      done,
    ];
  });
  const all = [{ type: 'response.created', response: begun }, ...items, { type: 'response.completed', response }];
  return all.map(
    (event, sequence_number) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number })}\n\n`,
  );
}
