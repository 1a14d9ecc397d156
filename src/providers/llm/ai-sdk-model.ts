/**
 * Converts a credential to a model of the AI SDK. The key and the base URL are always passed, so that no factory of the
 * SDK reads the environment: a workspace without a key must fail, and not spend the platform's.
 */
import type { Fetch } from '../../egress/http-client.js';
import { isProviderError, ProviderError } from '../../protocol/errors.js';
import { modelAnswers } from '../answers/model-answer.js';
import { optionalPackage } from '../optional-package.js';
import type { LlmCredential } from './llm.js';
import { protocolOf } from './llm-config.js';
import { GEMINI_MODEL, GEMINI_MODEL_RULE, withVersion } from './vendors.js';

/**
 * A model as `generateText` of the AI SDK 6 and 7 accepts it. Declared here, so that a project without `ai` can check
 * this package's types.
 */
export interface AiSdkModel {
  // biome-ignore lint/suspicious/noExplicitAny: a literal that differs between versions 6 and 7
  readonly specificationVersion: any;
  readonly provider: string;
  readonly modelId: string;
  // biome-ignore lint/suspicious/noExplicitAny: versions 6 and 7 of the AI SDK name types that do not fit each other
  readonly supportedUrls: any;
  // biome-ignore lint/suspicious/noExplicitAny: versions 6 and 7 of the AI SDK name types that do not fit each other
  doGenerate(options: any): PromiseLike<any>;
  // biome-ignore lint/suspicious/noExplicitAny: versions 6 and 7 of the AI SDK name types that do not fit each other
  doStream(options: any): PromiseLike<any>;
}

/**
 * Returns the model for `generateText`, `streamText` and the other functions of the AI SDK. They retry by default: pass
 * `maxRetries: 0` if Temporal retries the activity.
 *
 * @param fetch - the one that the callback of `withProvider` receives. The SDK downloads images and files that a message
 *   names by URL itself: pass `experimental_download` too if your messages have such parts
 * @throws ProviderError `SetupInvalid` if the AI SDK's package for this service is not installed: `@ai-sdk/anthropic`,
 *   `@ai-sdk/openai`, `@ai-sdk/google`, or `@ai-sdk/openai-compatible` for chat completions under any other name; `ProviderConfigInvalid` for a
 *   model of Gemini that would lead to another path
 */
export function aiSdkModel(credential: LlmCredential, modelId: string, fetch: Fetch): AiSdkModel {
  return aiSdkProvider(credential, fetch).languageModel(safeModelId(credential, modelId));
}

/** Model ids become a part of Gemini's URLs. @throws ProviderError `ProviderConfigInvalid` */
export function safeModelId(credential: LlmCredential, modelId: string): string {
  if (protocolOf(credential.provider, credential) !== 'gemini' || GEMINI_MODEL.test(modelId)) return modelId;
  throw ProviderError.configInvalid('model', GEMINI_MODEL_RULE);
}

/** What the AI SDK's packages for services have in common. */
export interface AiSdkProvider {
  languageModel(modelId: string): AiSdkModel;
  embeddingModel?(modelId: string): Pick<AiSdkEmbeddingModel, 'doEmbed'>;
  imageModel?(modelId: string): Pick<AiSdkImageModel, 'doGenerate'>;
}

/** As {@link AiSdkModel}, for `embed` and `embedMany`. */
export interface AiSdkEmbeddingModel extends Pick<AiSdkModel, 'specificationVersion' | 'provider' | 'modelId'> {
  readonly maxEmbeddingsPerCall: number;
  readonly supportsParallelCalls: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: versions 6 and 7 of the AI SDK name types that do not fit each other
  doEmbed(options: any): PromiseLike<any>;
}

/** As {@link AiSdkModel}, for `generateImage`. */
export interface AiSdkImageModel extends Pick<AiSdkModel, 'specificationVersion' | 'provider' | 'modelId'> {
  readonly maxImagesPerCall: number;
  // biome-ignore lint/suspicious/noExplicitAny: versions 6 and 7 of the AI SDK name types that do not fit each other
  doGenerate(options: any): PromiseLike<any>;
}

/** The AI SDK's provider for the credential's service. Throws as {@link aiSdkModel} does. */
export function aiSdkProvider(credential: LlmCredential, fetch: Fetch): AiSdkProvider {
  const { provider, baseURL, organization, project } = credential;
  const own = { apiKey: credential.apiKey, fetch: modelAnswers(fetch) };
  switch (protocolOf(provider, credential)) {
    case 'anthropic':
      return anthropic().createAnthropic({ ...own, baseURL: withVersion(baseURL, '/v1') });
    case 'responses':
      return openai().createOpenAI({ ...own, baseURL, organization, project });
    case 'gemini':
      return google().createGoogleGenerativeAI({ ...own, baseURL: withVersion(baseURL, '/v1beta') });
    default: {
      if (provider !== 'openai')
        return compatible().createOpenAICompatible({ ...own, ...COMPATIBLE, name: provider, baseURL });
      const vendor = openai().createOpenAI({ ...own, baseURL, organization, project });
      return {
        languageModel: (modelId) => vendor.chat(modelId),
        embeddingModel: (modelId) => vendor.embeddingModel(modelId),
        imageModel: (modelId) => vendor.imageModel(modelId),
      };
    }
  }
}

const COMPATIBLE = {
  // Otherwise the schema is not sent to the model, and the model returns any object.
  supportsStructuredOutputs: true,
  // Otherwise a stream has no usage.
  includeUsage: true,
  // The API of OpenAI has `image_url`.
  supportedUrls: () => ({ 'image/*': [/^https:/] }),
};

/**
 * The version of models that the installed packages of the AI SDK make: `v3` of AI SDK 6, `v4` of AI SDK 7.
 *
 * @throws ProviderError `SetupInvalid` if none is installed
 */
export function aiSdkVersion(): string {
  const names = ['openai', 'anthropic', 'gemini', 'compatible'];
  const credentials = names.map((provider) => ({ provider, apiKey: 'none', baseURL: 'http://localhost' }));
  for (const credential of credentials) {
    try {
      return aiSdkModel(credential, 'none', noFetch).specificationVersion;
    } catch (error) {
      if (!isProviderError(error, 'SetupInvalid')) throw error;
    }
  }
  const packages = '@ai-sdk/openai, @ai-sdk/anthropic, @ai-sdk/google or @ai-sdk/openai-compatible';
  throw new ProviderError('SetupInvalid', `no package of the AI SDK for a service is installed: install ${packages}`);
}

const noFetch: Fetch = () => Promise.reject(new Error('this model is never called'));

const anthropic = () =>
  optionalPackage<typeof import('@ai-sdk/anthropic')>('@ai-sdk/anthropic', () => require('@ai-sdk/anthropic'));

const openai = () =>
  optionalPackage<typeof import('@ai-sdk/openai')>('@ai-sdk/openai', () => require('@ai-sdk/openai'));

const google = () =>
  optionalPackage<typeof import('@ai-sdk/google')>('@ai-sdk/google', () => require('@ai-sdk/google'));

const compatible = () =>
  optionalPackage<typeof import('@ai-sdk/openai-compatible')>('@ai-sdk/openai-compatible', () =>
    require('@ai-sdk/openai-compatible'),
  );
