/**
 * Asks a model of the AI SDK once, in one piece or as a stream, and returns its whole answer in one form. It calls the
 * model itself and not `generateText`, which downloads files, logs warnings to the console, and drops what an answer
 * contains beside its text (docs/adr/0024-steps-call-the-models-of-the-ai-sdk.md).
 */
import type { LlmAssistantPart, LlmUsage } from '../../protocol/llm-step.js';
import type { Json } from '../../protocol/steps.js';
import { parseJson } from '../../redaction/parse-json.js';
import type { AiSdkModel } from './ai-sdk-model.js';
import { collectStream, noAnswer, type StreamedPart } from './model-stream.js';
import type { RawPart, RawReply, RawUsage } from './raw-reply.js';

/** What a model answered. */
export interface ModelReply {
  readonly text: string;
  /** The parts of the answer, as the next call takes them back. */
  readonly parts: readonly LlmAssistantPart[];
  /** `stop`, `length`, `content-filter`, `tool-calls`, `other`. */
  readonly finishReason: string;
  readonly usage: LlmUsage;
  readonly answeringModel?: string;
  readonly requestId?: string;
  /** The options that the model does not have. */
  readonly ignored: readonly string[];
}

export interface ModelCallMode {
  readonly stream: boolean;
  /** Is called with the number of characters that a stream has brought so far. */
  readonly onProgress: (receivedCharacters: number) => void;
}

/**
 * @param options - the call options of the model's version
 * @throws ServiceAnswerError if the service sent something that is not an answer of its API
 */
export async function askModel(model: AiSdkModel, options: object, mode: ModelCallMode): Promise<ModelReply> {
  try {
    if (!mode.stream) return replyOf((await model.doGenerate(options)) as RawReply);
    const { stream, response } = (await model.doStream(options)) as {
      readonly stream: ReadableStream<StreamedPart>;
      readonly response?: RawReply['response'];
    };
    return replyOf(await collectStream(stream, response, mode.onProgress));
  } catch (error) {
    throw error instanceof Error && MISREAD.has(error.name) ? noAnswer() : error;
  }
}

/** Errors of the AI SDK's packages about an answer that they could not read. They have no status. */
const MISREAD: ReadonlySet<string> = new Set([
  ...['AI_InvalidResponseDataError', 'AI_JSONParseError', 'AI_TypeValidationError', 'AI_EmptyResponseBodyError'],
  ...['AI_NoContentGeneratedError'],
]);

function replyOf(raw: RawReply): ModelReply {
  return {
    text: raw.content.map((part) => (part.type === 'text' ? (part.text ?? '') : '')).join(''),
    parts: raw.content.flatMap(partOf),
    finishReason: finishReasonOf(raw),
    usage: usageOf(raw.usage),
    answeringModel: shownName(raw.response?.modelId ?? raw.response?.body?.modelVersion),
    requestId: requestIdOf(raw.response),
    ignored: [...new Set((raw.warnings ?? []).flatMap(({ feature }) => (feature ? [feature] : [])))],
  };
}

/** Reasons of services that the packages do not know. */
const FINISH_REASONS: ReadonlyMap<string, string> = new Map([
  ['eos', 'stop'], // Together
  ['end_turn', 'stop'], // gateways of Anthropic's models
  ['stop_sequence', 'stop'],
  ['model_length', 'length'], // Mistral
  ['max_tokens', 'length'],
  ['sensitive', 'content-filter'], // Zhipu
  ['refusal', 'content-filter'],
  ['insufficient_system_resource', 'error'], // DeepSeek
  ['network_error', 'error'], // Zhipu
]);

/** @throws ServiceAnswerError if the service says that it failed within its answer */
function finishReasonOf({ finishReason: { unified = 'other', raw = '' } = {} }: RawReply): string {
  const reason = unified === 'other' ? (FINISH_REASONS.get(raw) ?? 'other') : unified;
  if (reason === 'error') throw noAnswer();
  return reason;
}

/** Sources and other parts of a vendor's own are left out: no API takes them back. */
function partOf(part: RawPart): LlmAssistantPart[] {
  const { type, text = '', providerMetadata } = part;
  const options = providerMetadata && { providerOptions: toJson(providerMetadata) };
  switch (type) {
    case 'text':
    case 'reasoning':
      return [{ type, text, ...options }];
    case 'file': {
      const { mediaType, data } = part as unknown as { readonly mediaType: string; readonly data: unknown };
      const base64 = base64Of(data);
      return base64 === undefined ? [] : [{ type, mediaType, data: base64, ...options }];
    }
    case 'tool-call': {
      const { toolCallId, toolName, input, providerExecuted } = part as unknown as RawToolCall;
      const parsed = typeof input === 'string' ? (parseJson(input || '{}') ?? input) : input;
      return [
        {
          type,
          toolCallId,
          toolName,
          input: parsed as Json,
          ...(providerExecuted && { providerExecuted }),
          ...options,
        },
      ];
    }
    case 'tool-result': {
      const { toolCallId, toolName, result, isError } = part as unknown as RawToolResult;
      const output = { type: isError ? 'error-json' : 'json', value: toJson(result) } as const;
      return [{ type, toolCallId, toolName, output, ...options }];
    }
    default:
      return [];
  }
}

interface RawToolCall {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly input: unknown;
  readonly providerExecuted?: boolean;
}

interface RawToolResult {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly result: Json;
  readonly isError?: boolean;
}

/** Version 3: bytes or base64. Version 4: in an object. */
function base64Of(data: unknown): string | undefined {
  if (typeof data === 'string') return data;
  if (data instanceof Uint8Array) return Buffer.from(data).toString('base64');
  const inner = (data as { readonly data?: unknown } | null)?.data;
  return inner === undefined ? undefined : base64Of(inner);
}

function toJson<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value ?? null)) as Value;
}

function usageOf({ inputTokens: input = {}, outputTokens: output = {} }: RawUsage = {}): LlmUsage {
  const totalTokens = input.total === undefined || output.total === undefined ? undefined : input.total + output.total;
  return {
    inputTokens: input.total,
    cachedInputTokens: input.cacheRead,
    cacheWriteTokens: input.cacheWrite,
    outputTokens: output.total,
    reasoningTokens: output.reasoning,
    totalTokens,
  };
}

/** In the order in which support asks for them. `cf-ray` is the id of a gateway. */
const REQUEST_ID_HEADERS = ['x-request-id', 'request-id', 'apim-request-id', 'x-amzn-requestid', 'cf-ray'];

function requestIdOf(response: RawReply['response'] = {}): string | undefined {
  const { headers = {}, id } = response;
  return REQUEST_ID_HEADERS.map((name) => shownName(headers[name])).find(Boolean) ?? shownName(id);
}

/** A service's own text goes into a history only if it has the form of a name. */
function shownName(text: string | undefined): string | undefined {
  return text !== undefined && /^[\w.:/@+-]{1,200}$/.test(text) ? text : undefined;
}
