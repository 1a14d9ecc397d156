/**
 * Attributes of calls to models, by the GenAI conventions of OpenTelemetry. They have no release yet, and their constants
 * in `@opentelemetry/semantic-conventions` are deprecated, so the names that are used are written here.
 */
import type { Works } from '../observer/observed.js';

/** The names that the conventions have for services, by the names that providers have here. */
const PROVIDER_NAMES: Readonly<Record<string, string>> = {
  anthropic: 'anthropic',
  openai: 'openai',
  gemini: 'gcp.gemini',
  azure: 'azure.ai.openai',
  bedrock: 'aws.bedrock',
  cohere: 'cohere',
  deepseek: 'deepseek',
  groq: 'groq',
  mistral: 'mistral_ai',
  perplexity: 'perplexity',
  xai: 'x_ai',
};

export const CHAT = 'chat';

/** A name that a workspace has chosen says nothing to others: it is `_OTHER`. */
export function modelAttributes({ name, model }: Works['model']['begun']) {
  return {
    'gen_ai.operation.name': CHAT,
    'gen_ai.provider.name': PROVIDER_NAMES[name] ?? '_OTHER',
    'gen_ai.request.model': model,
  };
}
