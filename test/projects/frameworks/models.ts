/** Models of both frameworks that open the reference which the workflow handed to them. */
import { createOpenAI } from '@ai-sdk/openai';
import type { LanguageModelV4, ProviderV4 } from '@ai-sdk/provider';
import type { Model, ModelProvider, ModelRequest } from '@openai/agents-core';
import { OpenAIResponsesModel } from '@openai/agents-openai';
import OpenAI from 'openai';
import { type ProviderReference, withProvider } from 'workspace-providers';

const referenceIn = (text: unknown) => JSON.parse(String(text)) as ProviderReference<'llm'>;

const languageModel = (modelId: string): LanguageModelV4 => ({
  specificationVersion: 'v4',
  provider: 'workspace',
  modelId,
  supportedUrls: {},
  doGenerate: ({ providerOptions, ...options }) =>
    withProvider(referenceIn(providerOptions?.workspace?.ref), async ({ credential, fetch, signal }) => {
      const { baseURL } = credential;
      const openai = createOpenAI({ apiKey: credential.apiKey.reveal(), baseURL, fetch });
      return openai(modelId).doGenerate({ ...options, abortSignal: signal });
    }),
  doStream: () => Promise.reject(new Error('not needed here')),
});

export const aiSdkModels = { languageModel } as unknown as ProviderV4;

export const openaiModels: ModelProvider = {
  getModel: (name = 'gpt-5-mini'): Model => ({
    getResponse: (request: ModelRequest) => {
      const { providerData, ...modelSettings } = request.modelSettings;
      return withProvider(referenceIn(providerData?.ref), async ({ credential, fetch, signal }) => {
        const options = { baseURL: credential.baseURL, fetch, maxRetries: 0 };
        const client = new OpenAI({ apiKey: credential.apiKey.reveal(), ...options });
        return new OpenAIResponsesModel(client, name).getResponse({ ...request, modelSettings, signal });
      });
    },
    getStreamedResponse: () => {
      throw new Error('not needed here');
    },
  }),
};
