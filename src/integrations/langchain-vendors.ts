/**
 * The classes that LangChain has for each API, made for one call: with the `fetch` of the call, and with nothing that
 * they would read from the environment, which is the platform's.
 */
import type { Embeddings } from '@langchain/core/embeddings';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { ProviderError } from '../protocol/errors.js';
import { modelAnswers } from '../providers/answers/model-answer.js';
import type { LlmCredential } from '../providers/llm/llm.js';
import { protocolOf } from '../providers/llm/llm-config.js';
import { withVersion } from '../providers/llm/vendors.js';
import { optionalPackage } from '../providers/optional-package.js';
import type { ProviderCall } from '../resolver/provider-call.js';
import { openaiClientOptions } from './openai-client.js';

/** Parameters of the model that every class has under this name, and further ones of one class. */
export type ModelParameters = Readonly<Record<string, unknown>>;

/** Retries are Temporal's, and an aborted call must not wait in a queue. */
const ONCE = { maxRetries: 0 } as const;

/** Anthropic is called by its own API; every other service by OpenAI's, at the address that it documents for it. */
export function vendorChatModel(
  opened: ProviderCall<LlmCredential>,
  model: string,
  parameters: ModelParameters,
): BaseChatModel {
  const { credential, fetch } = opened;
  const protocol = protocolOf(credential.provider, credential);
  if (protocol === 'anthropic') {
    const { ChatAnthropic } = langchainAnthropic();
    return new ChatAnthropic({
      ...{ ...parameters, ...ONCE, model },
      apiKey: credential.apiKey,
      anthropicApiUrl: withVersion(credential.baseURL, '/v1').slice(0, -'/v1'.length),
      clientOptions: { fetch: modelAnswers(fetch), authToken: null },
    });
  }
  const { ChatOpenAICompletions, ChatOpenAIResponses } = langchainOpenai();
  const { apiKey, ...configuration } = openaiClientOptions(opened);
  const fields = { ...parameters, ...ONCE, model, apiKey, configuration };
  return protocol === 'responses' ? new ChatOpenAIResponses(fields) : new ChatOpenAICompletions(fields);
}

/** @throws ProviderError `ProviderConfigInvalid` for Anthropic, which has no embeddings */
export function vendorEmbeddings(opened: ProviderCall<LlmCredential>, model: string): Embeddings {
  const { credential } = opened;
  if (protocolOf(credential.provider, credential) === 'anthropic')
    throw ProviderError.configInvalid(
      'model',
      `names llm/${credential.provider}, which has no embeddings: name another provider`,
    );
  const { apiKey, ...configuration } = openaiClientOptions(opened);
  // By default OpenAI's client asks for base64, which compatible services do not know.
  return new (langchainOpenai().OpenAIEmbeddings)({ ...ONCE, model, apiKey, configuration, encodingFormat: 'float' });
}

const langchainAnthropic = () =>
  optionalPackage<typeof import('@langchain/anthropic')>('@langchain/anthropic', () => require('@langchain/anthropic'));

const langchainOpenai = () =>
  optionalPackage<typeof import('@langchain/openai')>('@langchain/openai', () => require('@langchain/openai'));
