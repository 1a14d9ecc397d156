/**
 * Successful answers that repeat everything: as a text, as an image or a file in base64, and as a stream that is cut in
 * the middle of a key, both between two events and between two writes. Each path also says a control, which the search
 * must find where the answer goes.
 */
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** The paths by which an answer comes that is no plain text of JSON, by the name of their control. */
export const PATHS = {
  errorIn200: 'an error inside HTTP 200',
  file: 'an image and a file in base64',
  stream: 'a stream',
  cutStream: 'a stream that is cut in the middle of a key',
  streamError: 'an error within a stream',
} as const;

export type PathControls = Readonly<Record<keyof typeof PATHS, string>>;

/** The bodies of the four APIs of models, with these texts. `undefined` for another API. */
export function modelAnswer(api: string, text: string, file: string): object | undefined {
  const image = `data:image/png;base64,${file}`;
  switch (api) {
    case 'anthropic':
      return {
        ...{ id: 'msg_1', type: 'message', role: 'assistant', model: text, stop_reason: 'end_turn' },
        content: [{ type: 'text', text: `${text} ${image}` }],
        usage: { input_tokens: 1, output_tokens: 1 },
      };
    case 'openai':
      return {
        ...{ id: 'resp_1', object: 'response', created_at: 1_790_000_000, status: 'completed', model: text },
        output: [
          {
            ...{ type: 'message', id: 'msg_1', status: 'completed', role: 'assistant' },
            content: [{ type: 'output_text', text: `${text} ${image}`, annotations: [] }],
          },
          { type: 'image_generation_call', id: 'ig_1', status: 'completed', result: file },
        ],
        usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
      };
    case 'gemini': {
      const parts = [{ text }, { inlineData: { mimeType: 'image/png', data: file } }];
      return {
        candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0 }],
        usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
      };
    }
    case 'local-model':
      return {
        ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1_790_000_000, model: text },
        choices: [{ index: 0, message: { role: 'assistant', content: `${text} ${image}` }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      };
    default:
      return undefined;
  }
}

/** The events of a stream that says these texts, one after the other. */
export function streamOf(api: string, texts: readonly string[]): string[] {
  const event = (body: object, name?: string) => `${name ? `event: ${name}\n` : ''}data: ${JSON.stringify(body)}\n\n`;
  if (api === 'anthropic') {
    const typed = (type: string, body: object = {}) => event({ type, ...body }, type);
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'a', content: [], usage: {} };
    return [
      typed('message_start', { message }),
      typed('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      ...texts.map((text) => typed('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
      typed('content_block_stop', { index: 0 }),
      typed('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } }),
      typed('message_stop'),
    ];
  }
  if (api === 'openai') {
    const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'a', output: [] };
    const item = { type: 'message', id: 'msg_1', status: 'in_progress', role: 'assistant', content: [] };
    const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
    return [
      event({ type: 'response.created', response: { ...response, status: 'in_progress' } }),
      event({ type: 'response.output_item.added', output_index: 0, item }),
      ...texts.map((delta) => event({ type: 'response.output_text.delta', ...at, delta })),
      event({ type: 'response.output_item.done', output_index: 0, item: { ...item, status: 'completed' } }),
      event({ type: 'response.completed', response: { ...response, status: 'completed', usage: {} } }),
    ];
  }
  if (api === 'gemini') {
    const chunk = (text: string, more: object) =>
      event({ candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0, ...more }] });
    return [...texts.map((text) => chunk(text, {})), chunk('', { finishReason: 'STOP' })];
  }
  const chunk = (choice: object) =>
    event({ id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'a', choices: [{ index: 0, ...choice }] });
  return [
    ...texts.map((content) => chunk({ delta: { role: 'assistant', content } })),
    chunk({ delta: {}, finish_reason: 'stop' }),
    'data: [DONE]\n\n',
  ];
}

/** The text in pieces, each of which ends in the middle of a key. */
export function cutInKeys(text: string, keys: readonly string[]): string[] {
  const places = keys.flatMap((key) => placesOf(key, text).map((at) => at + Math.floor(key.length / 2)));
  const cuts = [0, ...new Set(places.sort((a, b) => a - b)), text.length];
  return cuts.slice(1).map((end, index) => text.slice(cuts[index], end));
}

/** Writes each piece by itself, so that it arrives by itself. */
export async function writeApart(response: ServerResponse, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    response.write(piece);
    await delay(5);
  }
  response.end();
}

function placesOf(key: string, text: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(key); at >= 0; at = text.indexOf(key, at + 1)) places.push(at);
  return places;
}
