/** Collects the stream of a model of the AI SDK into the answer that the same call would have had in one piece. */
import { ServiceAnswerError } from '../answers/service-answer.js';
import { streamError } from '../answers/stream-error.js';
import type { RawPart, RawReply } from './raw-reply.js';

export interface StreamedPart {
  readonly type: string;
  readonly id?: string;
  readonly delta?: string;
  readonly providerMetadata?: RawPart['providerMetadata'];
  readonly [field: string]: unknown;
}

/**
 * @param onProgress - is called with the number of characters so far
 * @throws what the service sent as an error; ServiceAnswerError if the stream ends without its end: a gateway cut it
 */
export async function collectStream(
  stream: ReadableStream<StreamedPart>,
  response: RawReply['response'],
  onProgress: (receivedCharacters: number) => void,
): Promise<RawReply> {
  const content: { -readonly [Field in keyof RawPart]: RawPart[Field] }[] = [];
  const open = new Map<string, (typeof content)[number]>();
  let head: Partial<RawReply> = {};
  let metadata = response;
  let receivedCharacters = 0;
  for await (const part of stream as unknown as AsyncIterable<StreamedPart>) {
    const { type, id = '', delta = '', providerMetadata } = part;
    receivedCharacters += delta.length;
    if (delta) onProgress(receivedCharacters);
    switch (type) {
      case 'text-start':
      case 'reasoning-start': {
        const started = { type: type.replace('-start', ''), text: '', providerMetadata };
        content.push(started);
        open.set(`${started.type} ${id}`, started);
        break;
      }
      case 'text-delta':
      case 'text-end':
      case 'reasoning-delta':
      case 'reasoning-end': {
        const started = open.get(`${type.replace(/-(delta|end)$/, '')} ${id}`);
        if (!started) break;
        started.text += delta;
        // Signatures come with the last part.
        started.providerMetadata = merged(started.providerMetadata, providerMetadata);
        break;
      }
      case 'tool-call':
      case 'tool-result':
      case 'file':
        content.push(part as RawPart);
        break;
      case 'stream-start':
        head = { ...head, warnings: part.warnings as RawReply['warnings'] };
        break;
      case 'response-metadata':
        metadata = { ...metadata, id: id || metadata?.id, modelId: (part.modelId as string) ?? metadata?.modelId };
        break;
      case 'finish':
        head = { ...head, ...(part as Pick<RawReply, 'usage' | 'finishReason'>) };
        break;
      case 'error':
        throw streamError(part.error);
    }
  }
  if (!isFinished(head)) throw noAnswer();
  return { ...head, content, response: metadata };
}

/** The packages end each stream with a part of their own. If the service sent no end, it has no reason. */
function isFinished({ finishReason }: Partial<RawReply>): boolean {
  return (
    finishReason?.raw !== undefined ||
    ['stop', 'length', 'tool-calls', 'content-filter'].includes(finishReason?.unified ?? '')
  );
}

/** The failure of a service that said success, and then sent no answer. */
export function noAnswer(): ServiceAnswerError {
  return new ServiceAnswerError({ status: 200, text: '', header: () => undefined });
}

function merged(first: RawPart['providerMetadata'], second: RawPart['providerMetadata']): RawPart['providerMetadata'] {
  if (!first || !second) return first ?? second;
  const names = [...Object.keys(first), ...Object.keys(second)];
  return Object.fromEntries(names.map((name) => [name, { ...first[name], ...second[name] }]));
}
