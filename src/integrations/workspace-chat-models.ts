/** Models of LangChain that open the workspace's own provider at each call. They hold a name, and never a key. */
import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager';
import { Embeddings } from '@langchain/core/embeddings';
import type { BaseLanguageModelInput } from '@langchain/core/language_models/base';
import {
  BaseChatModel,
  type BaseChatModelCallOptions,
  type BindToolsInput,
} from '@langchain/core/language_models/chat_models';
import type { AIMessageChunk, BaseMessage } from '@langchain/core/messages';
import type { ChatGenerationChunk, ChatResult } from '@langchain/core/outputs';
import type { Runnable } from '@langchain/core/runnables';
import { convertToOpenAITool, isLangChainTool } from '@langchain/core/utils/function_calling';
import { withProvider } from '../plugin/with-provider.js';
import type { LlmCredential } from '../providers/llm/llm.js';
import type { ProviderCall } from '../resolver/provider-call.js';
import { partsWithProvider } from './credential-stream.js';
import { type ModelParameters, vendorChatModel, vendorEmbeddings } from './langchain-vendors.js';
import {
  type LlmHandle,
  modelOfProvider,
  type WantedModel,
  type WorkspaceModelsOptions,
  wantedModel,
} from './model-names.js';
import { structuredOutput } from './structured-output.js';
import { unwrapped } from './unwrapped.js';

export interface WorkspaceChatModelOptions extends WorkspaceModelsOptions {
  /** The model, if the first argument is a provider. Default: the model of the provider's config. */
  readonly model?: string;
  /** Default: the service's own. */
  readonly temperature?: number;
  /** Default: the service's own; for Anthropic, the one of LangChain's class. */
  readonly maxTokens?: number;
  /** Further fields of LangChain's class for the service: `{ thinking: … }` of `ChatAnthropic`. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

export interface WorkspaceCallOptions extends BaseChatModelCallOptions {
  /** The functions that the model may call. `bindTools` sets them. */
  readonly tools?: BindToolsInput[];
  /** Whether arguments must fit the schemas of the tools exactly. Default: the service's own. */
  readonly strict?: boolean;
}

/**
 * Returns a chat model for LangChain and LangGraph in an activity. It calls with the key of the workspace that the running
 * workflow was granted for. The worker needs `providers.plugin()`.
 *
 * A refused key is read again and tried once more, a stream holds the key until it ends, and failures are typed, as with
 * `withProvider`. The model holds no key, so that neither a checkpoint nor a trace can have it.
 *
 * @param model - a model id that names the provider, as `workspaceModels` of `workspace-providers/ai-sdk` reads it:
 *   `anthropic/claude-sonnet-5-5`; or a provider: by name, `{ type: 'llm', name: 'anthropic' }`, or the reference that
 *   the workflow resolved
 * @example
 * const agent = createAgent({ model: workspaceChatModel('anthropic/claude-sonnet-5-5'), tools: [weather] });
 */
export function workspaceChatModel(
  model: string | LlmHandle,
  options: WorkspaceChatModelOptions = {},
): WorkspaceChatModel {
  const { temperature, maxTokens, parameters } = options;
  const given = { ...(temperature !== undefined && { temperature }), ...(maxTokens !== undefined && { maxTokens }) };
  return new WorkspaceChatModel(wantedOf(model, options), { ...given, ...parameters });
}

/**
 * Returns embeddings for LangChain in an activity, with the key of the workspace that the running workflow was granted for.
 *
 * @param model - as for {@link workspaceChatModel}
 */
export function workspaceEmbeddings(
  model: string | LlmHandle,
  options: Pick<WorkspaceChatModelOptions, 'providers' | 'model'> = {},
): Embeddings {
  return new WorkspaceEmbeddings(wantedOf(model, options));
}

function wantedOf(model: string | LlmHandle, options: WorkspaceChatModelOptions): WantedModel {
  return typeof model === 'string' ? wantedModel(model, options) : modelOfProvider(model, options.model);
}

/** A chat model that opens its provider at each call. */
export class WorkspaceChatModel extends BaseChatModel<WorkspaceCallOptions> {
  readonly #wanted: WantedModel;
  readonly #parameters: ModelParameters;

  static override lc_name(): string {
    return 'WorkspaceChatModel';
  }

  /** @internal */
  constructor(wanted: WantedModel, parameters: ModelParameters) {
    // Nothing that a serializer would find.
    super({});
    this.#wanted = wanted;
    this.#parameters = parameters;
    // A method would have to repeat the overloads of the base class.
    this.withStructuredOutput = structuredOutput((tools, options) => this.bindTools(tools, options));
  }

  override _llmType(): string {
    return 'workspace';
  }

  /** Tools stay in the format that the classes of all services take, because the service is not known yet. */
  override bindTools(
    tools: BindToolsInput[],
    options?: Partial<WorkspaceCallOptions>,
  ): Runnable<BaseLanguageModelInput, AIMessageChunk, WorkspaceCallOptions> {
    return this.withConfig({ ...options, tools: tools.map(withoutCode) });
  }

  /** @internal */
  override _generate(
    messages: BaseMessage[],
    options: this['ParsedCallOptions'],
    run?: CallbackManagerForLLMRun,
  ): Promise<ChatResult> {
    return unwrapped(() =>
      withProvider(this.#wanted.provider, (opened) =>
        this.#vendor(opened)._generate(messages, passedOn(options, opened), run),
      ),
    );
  }

  /** @internal */
  override _streamResponseChunks(
    messages: BaseMessage[],
    options: this['ParsedCallOptions'],
    run?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    return partsWithProvider(this.#wanted.provider, (opened) =>
      this.#vendor(opened)._streamResponseChunks(messages, passedOn(options, opened), run),
    );
  }

  #vendor(opened: ProviderCall<LlmCredential>): BaseChatModel {
    return vendorChatModel(opened, this.#wanted.idFor(opened.credential), this.#parameters);
  }
}

class WorkspaceEmbeddings extends Embeddings {
  readonly #wanted: WantedModel;

  constructor(wanted: WantedModel) {
    super({});
    this.#wanted = wanted;
  }

  override embedDocuments(documents: string[]): Promise<number[][]> {
    return this.#ask((vendor) => vendor.embedDocuments(documents));
  }

  override embedQuery(document: string): Promise<number[]> {
    return this.#ask((vendor) => vendor.embedQuery(document));
  }

  #ask<Result>(ask: (vendor: Embeddings) => Promise<Result>): Promise<Result> {
    return unwrapped(() =>
      withProvider(this.#wanted.provider, (opened) =>
        ask(vendorEmbeddings(opened, this.#wanted.idFor(opened.credential))),
      ),
    );
  }
}

/** Traces have the options of a call, where the code of a tool does not belong. Tools with options of a service stay. */
function withoutCode(tool: BindToolsInput): BindToolsInput {
  return isLangChainTool(tool) && !('extras' in tool && tool.extras) ? convertToOpenAITool(tool) : tool;
}

function passedOn<Options extends { readonly signal?: AbortSignal }>(
  options: Options,
  { signal }: ProviderCall<LlmCredential>,
): Options {
  return { ...options, signal: options.signal ? AbortSignal.any([options.signal, signal]) : signal };
}
