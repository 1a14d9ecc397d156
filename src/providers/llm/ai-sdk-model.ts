/**
 * A credential as the AI SDK takes it. Key, base URL and fetch are always given, so none of its factories looks into
 * the environment: a workspace without a key must fail, not spend the platform's.
 */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModel } from 'ai';
import type { Fetch } from '../../egress/http-client.js';
import type { LlmCredential } from './llm.js';

/**
 * The model for `generateText`, `streamText` and the rest of the AI SDK. Retries are the SDK's own matter: give
 * `maxRetries: 0` where Temporal retries.
 *
 * @param fetch - default the global one; in an activity, the one that `withProvider` hands over
 */
export function aiSdkModel(credential: LlmCredential, modelId: string, fetch?: Fetch): Exclude<LanguageModel, string> {
  const { provider, baseURL, organization, project } = credential;
  const apiKey = credential.apiKey.reveal();
  switch (provider) {
    case 'anthropic':
      return createAnthropic({ apiKey, baseURL: `${baseURL}/v1`, fetch })(modelId);
    case 'openai':
      return createOpenAI({ apiKey, baseURL, organization, project, fetch })(modelId);
    case 'gemini':
      return createGoogleGenerativeAI({ apiKey, baseURL: `${baseURL}/v1beta`, fetch })(modelId);
    default:
      // Without it a schema never reaches the model, and it answers whatever object it likes.
      return createOpenAICompatible({ name: provider, apiKey, baseURL, fetch, supportsStructuredOutputs: true })(
        modelId,
      );
  }
}
