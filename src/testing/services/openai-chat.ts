/** OpenAI's Chat Completions API: text, objects, one round of tool calls; in one body, or as a stream of chunks. */
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

const tool = z.looseObject({ function: z.looseObject({ name: z.string(), parameters: jsonSchema.nullish() }) });

const chatRequest = z.looseObject({
  model: z.string(),
  messages: z.array(z.looseObject({ role: z.string() })).min(1),
  stream: z.boolean().nullish(),
  tools: z.array(tool).nullish(),
  response_format: z
    .looseObject({ type: z.string(), json_schema: z.looseObject({ schema: jsonSchema.optional() }).optional() })
    .nullish(),
});

export function readChat(body: unknown): ModelRequest {
  const { model, messages, response_format, stream, tools } = chatRequest.parse(body);
  return {
    model,
    prompt: textOf(messages),
    wantsJson: isJsonFormat(response_format?.type),
    schema: response_format?.json_schema?.schema,
    tools: (tools ?? []).map(({ function: { name, parameters } }) => ({ name, schema: parameters ?? undefined })),
    hasToolResult: messages.some(({ role }) => role === 'tool'),
    reply: (answer, usage) =>
      stream ? { events: chunksOf(model, answer, usage) } : completionOf(model, answer, usage),
  };
}

function completionOf(model: string, answer: ModelAnswer, usage: Usage) {
  return {
    id: `chatcmpl-${randomUUID()}`,
    object: 'chat.completion',
    created: nowInSeconds(),
    model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', refusal: null, ...contentOf(answer) },
        logprobs: null,
        finish_reason: finishOf(answer),
      },
    ],
    usage: usageOf(usage),
  };
}

function chunksOf(model: string, answer: ModelAnswer, usage: Usage): string[] {
  const head = { id: `chatcmpl-${randomUUID()}`, object: 'chat.completion.chunk', created: nowInSeconds(), model };
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    ...{ ...head, choices: [{ index: 0, delta, logprobs: null, finish_reason }] },
  });
  const { content, tool_calls } = contentOf(answer);
  const deltas = tool_calls
    ? [{ tool_calls: tool_calls.map((call, index) => ({ index, ...call })) }]
    : piecesOf(content ?? '').map((part) => ({ content: part }));
  const all = [
    chunk({ role: 'assistant', content: '' }),
    ...deltas.map((delta) => chunk(delta)),
    chunk({}, finishOf(answer)),
    { ...head, choices: [], usage: usageOf(usage) },
  ];
  return [...all.map((each) => `data: ${JSON.stringify(each)}\n\n`), 'data: [DONE]\n\n'];
}

function contentOf({ text, calls }: ModelAnswer) {
  if (calls.length === 0) return { content: text, tool_calls: undefined };
  const tool_calls = calls.map(({ name, args }) => ({
    ...{ id: `call_${randomUUID()}`, type: 'function', function: { name, arguments: JSON.stringify(args) } },
  }));
  return { content: null, tool_calls };
}

const finishOf = ({ calls }: ModelAnswer) => (calls.length > 0 ? 'tool_calls' : 'stop');

const usageOf = ({ input, output }: Usage) => ({
  ...{ prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
});
