/** What OpenAI's client is made with, to call any service that speaks OpenAI's API. */
import { modelAnswers } from '../providers/answers/model-answer.js';
import type { LlmCredential } from '../providers/llm/llm.js';
import { protocolOf } from '../providers/llm/llm-config.js';
import { withVersion } from '../providers/llm/vendors.js';
import type { ProviderCall } from '../resolver/provider-call.js';

export function openaiClientOptions({ credential, fetch }: ProviderCall<LlmCredential>) {
  return {
    apiKey: credential.apiKey,
    baseURL: openaiURLOf(credential),
    // `undefined` would be read from the environment, which is the platform's.
    organization: credential.organization ?? null,
    project: credential.project ?? null,
    // `OPENAI_CUSTOM_HEADERS` would replace the client's own, and `fetch` sends the key where the client has it.
    defaultHeaders: { authorization: `Bearer ${credential.apiKey}` },
    fetch: modelAnswers(fetch),
    maxRetries: 0,
  };
}

/** Where the service speaks OpenAI's API, by the documentation of Anthropic and Gemini ("OpenAI compatibility"). */
function openaiURLOf(credential: LlmCredential): string {
  const { provider, baseURL } = credential;
  const protocol = protocolOf(provider, credential);
  if (protocol === 'anthropic') return withVersion(baseURL, '/v1');
  return protocol === 'gemini' ? `${withVersion(baseURL, '/v1beta')}/openai` : baseURL;
}
