/** The input and the result of `llmStep`. */

import type { ProviderReference, ProviderUse, UnusableEndpoint, VersionFloors, WantedProvider } from './references.js';
import type { Json } from './steps.js';

/**
 * Options of the vendor's package of the AI SDK, by its name there: `{ anthropic: { cacheControl: … } }`. For a
 * compatible service the key is the provider's name, and fields that the package does not know become fields of the
 * request.
 */
export type LlmProviderOptions = Readonly<Record<string, Readonly<Record<string, Json>>>>;

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';

/** How a model is to answer. `ignored` of the result lists what a model does not have. */
export interface LlmOptions {
  readonly maxOutputTokens?: number;
  /** From 0 to 2. */
  readonly temperature?: number;
  /** From 0 to 1. */
  readonly topP?: number;
  readonly topK?: number;
  /** From -2 to 2. */
  readonly presencePenalty?: number;
  /** From -2 to 2. */
  readonly frequencyPenalty?: number;
  readonly seed?: number;
  readonly stopSequences?: readonly string[];
  /** How much the model thinks before it answers. Default: the model's. */
  readonly reasoningEffort?: ReasoningEffort;
  readonly providerOptions?: LlmProviderOptions;
}

export interface LlmTextPart {
  readonly type: 'text';
  readonly text: string;
  readonly providerOptions?: LlmProviderOptions;
}

/** An image, a PDF, audio, or another file. */
export interface LlmFilePart {
  readonly type: 'file';
  /** `image/png`, `application/pdf`, … */
  readonly mediaType: string;
  /**
   * The content in base64, as text or as a `data:` URL. Or an https URL, which the service reads: this package downloads
   * nothing, and refuses a URL for a service that does not take it.
   */
  readonly data: string;
  readonly filename?: string;
  readonly providerOptions?: LlmProviderOptions;
}

/** What a model thought. Its `providerOptions` contain the vendor's signature: pass it back unchanged. */
export interface LlmReasoningPart {
  readonly type: 'reasoning';
  readonly text: string;
  readonly providerOptions?: LlmProviderOptions;
}

/** A call of a tool, which the caller makes. */
export interface LlmToolCallPart {
  readonly type: 'tool-call';
  readonly toolCallId: string;
  readonly toolName: string;
  /** The arguments. A text if the model wrote something that is not JSON. */
  readonly input: Json;
  /** Whether the service itself made the call. */
  readonly providerExecuted?: boolean;
  readonly providerOptions?: LlmProviderOptions;
}

export interface LlmToolResultPart {
  readonly type: 'tool-result';
  readonly toolCallId: string;
  readonly toolName: string;
  readonly output:
    | { readonly type: 'text' | 'error-text'; readonly value: string }
    | { readonly type: 'json' | 'error-json'; readonly value: Json }
    | { readonly type: 'content'; readonly value: readonly (LlmTextPart | LlmFilePart)[] };
  readonly providerOptions?: LlmProviderOptions;
}

export interface LlmUserMessage {
  readonly role: 'user';
  readonly content: string | readonly (LlmTextPart | LlmFilePart)[];
  readonly providerOptions?: LlmProviderOptions;
}

export type LlmAssistantPart = LlmTextPart | LlmFilePart | LlmReasoningPart | LlmToolCallPart | LlmToolResultPart;

export interface LlmAssistantMessage {
  readonly role: 'assistant';
  readonly content: string | readonly LlmAssistantPart[];
  readonly providerOptions?: LlmProviderOptions;
}

/** The results of the tools that the message before it called. */
export interface LlmToolMessage {
  readonly role: 'tool';
  readonly content: readonly LlmToolResultPart[];
  readonly providerOptions?: LlmProviderOptions;
}

export type LlmMessage = LlmUserMessage | LlmAssistantMessage | LlmToolMessage;

/** A tool that the model may call. The step does not run it. */
export interface LlmTool {
  readonly name: string;
  readonly description?: string;
  /** A JSON schema of the arguments. */
  readonly inputSchema: { readonly [key: string]: Json };
  readonly strict?: boolean;
  readonly providerOptions?: LlmProviderOptions;
}

/** An LLM provider by its name. It is found and opened in the activity of the step. */
export interface LlmByName extends WantedProvider {
  /**
   * `anthropic`, `openai`, `gemini` or the workspace's own name. Of a list, the first provider that is configured and
   * active is asked.
   */
  readonly provider: string | readonly string[];
  readonly ref?: never;
}

/** The LLM provider that {@link resolveLlmKey} has returned. */
export interface LlmByReference {
  readonly ref: ProviderReference<'llm'>;
  readonly provider?: never;
  readonly workspaceId?: never;
  readonly atLeast?: VersionFloors;
}

export interface LlmRequest extends LlmOptions {
  /**
   * Providers of the same workspace, by name or reference, that are asked, in this order, if the one before is
   * unavailable, limits the rate, is out of credit, refuses its key, is disabled or does not exist. A request or content
   * that is refused, and an answer that cannot be used, go to no other provider. Default: none.
   */
  readonly fallbacks?: readonly (string | ProviderReference<'llm'>)[];
  /** The model's id, or one per provider name. Default: the model of the provider's config. */
  readonly model?: string | Readonly<Record<string, string>>;
  readonly system?: string;
  /** Give `prompt`, `messages`, or both: then the prompt is the last message. */
  readonly prompt?: string;
  readonly messages?: readonly LlmMessage[];
  /** A JSON schema. The model answers with an object that matches it. */
  readonly schema?: { readonly [key: string]: Json };
  readonly tools?: readonly LlmTool[];
  /** Whether the model calls a tool, or which. Default: `auto`. */
  readonly toolChoice?: 'auto' | 'none' | 'required' | { readonly toolName: string };
  /**
   * Whether the service sends its answer in pieces, for services that only stream and gateways that cut a silent call.
   * The result is whole either way. Default: the `stream` of the provider's config, or false.
   */
  readonly stream?: boolean;
}

/** What is asked, and whom: a provider by its name, or by a reference. */
export type LlmStepInput = LlmRequest & (LlmByName | LlmByReference);

/** The number of tokens, as the service counted them. A number that it did not report is absent. */
export interface LlmUsage {
  /** All tokens of the request: `cachedInputTokens` and `cacheWriteTokens` are part of them. */
  readonly inputTokens?: number;
  readonly cachedInputTokens?: number;
  readonly cacheWriteTokens?: number;
  /** All tokens of the answer: `reasoningTokens` are part of them. */
  readonly outputTokens?: number;
  readonly reasoningTokens?: number;
  readonly totalTokens?: number;
}

export interface LlmStepResult<Answer = Json> {
  readonly text: string;
  /** The answer, if a schema was given. */
  readonly object?: Answer;
  /** The calls that the model wants to be made. Absent if there are none. */
  readonly toolCalls?: readonly LlmToolCallPart[];
  /** The answer as a message, with the model's reasoning: append it to `messages` to go on with the conversation. */
  readonly message: LlmAssistantMessage;
  /** The model that was asked. */
  readonly model: string;
  /** The model that answered, by the service's own name for it. */
  readonly answeringModel?: string;
  /** The service's id for the call. */
  readonly requestId?: string;
  /** `stop`, `length` if the answer was cut, `tool-calls`, or `other`. */
  readonly finishReason: string;
  readonly usage: LlmUsage;
  /** Options that the model does not have, and that were not sent. Absent if there are none. */
  readonly ignored?: readonly string[];
  /** The provider that answered. */
  readonly provider: ProviderUse;
  /** The providers that were asked before it, and why each did not answer. Absent if there are none. */
  readonly skipped?: readonly UnusableEndpoint[];
}
