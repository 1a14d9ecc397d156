/** What models of the AI SDK return, as far as it is read here. Both versions of their specification have it. */
import type { LlmProviderOptions } from '../../protocol/llm-step.js';

/** What a model returns, in one piece or collected from a stream. */
export interface RawReply {
  readonly content: readonly RawPart[];
  readonly finishReason?: { readonly unified?: string; readonly raw?: string };
  readonly usage?: RawUsage;
  readonly warnings?: readonly { readonly type: string; readonly feature?: string }[];
  readonly response?: {
    readonly id?: string;
    readonly modelId?: string;
    readonly headers?: Readonly<Record<string, string | undefined>>;
    /** Version 3 of the package for Gemini reads its model from nowhere. */
    readonly body?: { readonly modelVersion?: string };
  };
}

export interface RawPart {
  readonly type: string;
  readonly text?: string;
  readonly providerMetadata?: LlmProviderOptions;
  readonly [field: string]: unknown;
}

export interface RawUsage {
  readonly inputTokens?: { readonly total?: number; readonly cacheRead?: number; readonly cacheWrite?: number };
  readonly outputTokens?: { readonly total?: number; readonly reasoning?: number };
}
