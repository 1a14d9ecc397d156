/**
 * Converts a credential to a model of the AI SDK. The key and the base URL are always passed, so that no factory of the
 * SDK reads the environment: a workspace without a key must fail, and not spend the platform's.
 */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModel } from 'ai';
import type { Fetch } from '../../egress/http-client.js';
import type { LlmCredential } from './llm.js';

/**
 * Returns the model for `generateText`, `streamText` and the other functions of the AI SDK. They retry by default: pass
 * `maxRetries: 0` if Temporal retries the activity.
 *
 * @param fetch - default: the global one; in an activity, pass the one that the callback of `withProvider` receives
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
      // Otherwise the schema is not sent to the model, and the model returns any object.
      return createOpenAICompatible({ name: provider, apiKey, baseURL, fetch, supportsStructuredOutputs: true })(
        modelId,
      );
  }
}
