/** Models of the AI SDK that open the workspace's own provider at each call. */
import { withProvider } from '../plugin/with-provider.js';
import { ProviderError } from '../protocol/errors.js';
import { streamError } from '../providers/answers/stream-error.js';
import {
  type AiSdkEmbeddingModel,
  type AiSdkImageModel,
  type AiSdkModel,
  type AiSdkProvider,
  aiSdkProvider,
  aiSdkVersion,
  safeModelId,
} from '../providers/llm/ai-sdk-model.js';
import type { LlmCredential } from '../providers/llm/llm.js';
import type { ProviderCall } from '../resolver/provider-call.js';
import { streamWithProvider } from './credential-stream.js';
import { type WantedModel, type WorkspaceModelsOptions, wantedModel } from './model-names.js';

/** A provider of the AI SDK 6 and 7, as Temporal's `AiSdkPlugin` and the AI SDK's registry take it. */
export interface WorkspaceModels {
  // biome-ignore lint/suspicious/noExplicitAny: a literal that differs between versions 6 and 7
  readonly specificationVersion: any;
  languageModel(modelId: string): AiSdkModel;
  embeddingModel(modelId: string): AiSdkEmbeddingModel;
  /** The name of {@link embeddingModel} in version 6. */
  textEmbeddingModel(modelId: string): AiSdkEmbeddingModel;
  imageModel(modelId: string): AiSdkImageModel;
}

/** Of the services that are known by name, Gemini takes the fewest texts in a call. */
const MAX_EMBEDDINGS_PER_CALL = 100;
const MAX_IMAGES_PER_CALL = 1;
/** The AI SDK downloads what a model does not take by URL, with a client that no egress policy binds. */
const EVERY_URL = { '*/*': [/^/] };

/**
 * Returns models that call with the key of the workspace that the running workflow was granted for. Pass it to Temporal's
 * `AiSdkPlugin`, or take models from it in an activity. The worker needs `providers.plugin()`; workflow code needs
 * nothing of this package.
 *
 * A model's id names the provider: `anthropic/claude-sonnet-5-5`; several, separated by commas, are taken in order of
 * preference. A refused key is read again and tried once more, and failures are typed, as with `withProvider`. Images
 * and files that a prompt names by URL are downloaded by the service, not by the worker.
 *
 * @throws ProviderError `SetupInvalid` if none of the AI SDK's packages for a service is installed
 * @example
 * const worker = await Worker.create({
 *   plugins: [new AiSdkPlugin({ modelProvider: workspaceModels() }), providers.plugin()],
 *   …
 * });
 */
export function workspaceModels(options: WorkspaceModelsOptions = {}): WorkspaceModels {
  const specificationVersion = aiSdkVersion();
  const common = (modelId: string) => ({ specificationVersion, provider: 'workspace', modelId });
  const embeddingModel = (modelId: string): AiSdkEmbeddingModel => ({
    ...common(modelId),
    maxEmbeddingsPerCall: MAX_EMBEDDINGS_PER_CALL,
    supportsParallelCalls: true,
    doEmbed: callWith(wantedModel(modelId, options), 'embeddings', (vendor, id, call) =>
      vendor.embeddingModel?.(id).doEmbed(call),
    ),
  });
  return {
    specificationVersion,
    languageModel: (modelId) => ({
      ...common(modelId),
      supportedUrls: EVERY_URL,
      doGenerate: callWith(wantedModel(modelId, options), 'text', (vendor, id, call) =>
        vendor.languageModel(id).doGenerate(call),
      ),
      doStream: streamWith(wantedModel(modelId, options)),
    }),
    embeddingModel,
    textEmbeddingModel: embeddingModel,
    imageModel: (modelId) => ({
      ...common(modelId),
      maxImagesPerCall: MAX_IMAGES_PER_CALL,
      doGenerate: callWith(wantedModel(modelId, options), 'images', (vendor, id, call) =>
        vendor.imageModel?.(id).doGenerate(call),
      ),
    }),
  };
}

/** What the AI SDK passes to a model. After its way through a workflow, `abortSignal` is any object. */
interface ModelCall {
  readonly abortSignal?: unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: versions 6 and 7 of the AI SDK name types that do not fit each other
type ModelAnswer = PromiseLike<any>;

function callWith(
  wanted: WantedModel,
  what: string,
  ask: (vendor: AiSdkProvider, modelId: string, call: ModelCall) => ModelAnswer | undefined,
) {
  return (call: ModelCall): ModelAnswer =>
    withProvider(wanted.provider, async (opened) => {
      const { credential } = opened;
      const vendor = aiSdkProvider(credential, opened.fetch);
      const answer = ofModel(() => ask(vendor, idFor(wanted, credential), passedOn(call, opened)));
      if (answer) return answer;
      throw ProviderError.configInvalid('model', `names llm/${credential.provider}, which has no models for ${what}`);
    });
}

/** A vendor's package lacks the function for a kind of model that the vendor does not have, or the function throws. */
function ofModel(ask: () => ModelAnswer | undefined): ModelAnswer | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof Error && error.name === 'AI_NoSuchModelError') return undefined;
    throw error;
  }
}

function streamWith(wanted: WantedModel) {
  return async (call: ModelCall) => {
    const open = async (opened: ProviderCall<LlmCredential>) => {
      const { credential, fetch } = opened;
      const model = aiSdkProvider(credential, fetch).languageModel(idFor(wanted, credential));
      const { stream, ...head } = await model.doStream(passedOn(call, opened));
      return { head, parts: stream as AsyncIterable<StreamPart> };
    };
    const { head, parts } = await streamWithProvider(wanted.provider, open, errorIn);
    return { ...head, stream: parts };
  };
}

interface StreamPart {
  readonly type: string;
  readonly error?: unknown;
}

function errorIn({ type, error }: StreamPart): Error | undefined {
  return type === 'error' ? streamError(error) : undefined;
}

function idFor(wanted: WantedModel, credential: LlmCredential): string {
  return safeModelId(credential, wanted.idFor(credential));
}

function passedOn(call: ModelCall, { signal }: ProviderCall<LlmCredential>): ModelCall {
  const { abortSignal } = call;
  const signals = abortSignal instanceof AbortSignal ? [signal, abortSignal] : [signal];
  return { ...call, abortSignal: AbortSignal.any(signals) };
}
