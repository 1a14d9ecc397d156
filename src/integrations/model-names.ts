/** How a model's id names the provider whose key pays for the call. */
import { ProviderError } from '../protocol/errors.js';
import type { NamedProvider, ProviderReference } from '../protocol/references.js';
import type { LlmCredential } from '../providers/llm/llm.js';

export interface WorkspaceModelsOptions {
  /**
   * The providers for a model id that names none (`gpt-5-mini`), in order of preference: the first that the workspace
   * has configured is used. Default: `['openai']`.
   */
  readonly providers?: readonly string[];
}

/** An LLM provider by its name, or by the reference that a workflow resolved. */
export type LlmHandle = NamedProvider<'llm'> | ProviderReference<'llm'>;

/** A model that a workspace's provider serves. */
export interface WantedModel {
  /** What may serve it: one provider, or several in order of preference. */
  readonly provider: LlmHandle;
  /** @throws ProviderError `ProviderConfigInvalid` if neither the id nor the provider's config names a model */
  idFor(credential: LlmCredential): string;
}

/**
 * Reads a model id: `anthropic/claude-sonnet-5-5`, `gpt-5-mini`, or a list in order of preference:
 * `anthropic/claude-sonnet-5-5, openai/gpt-5-mini`. What is before the first slash names the provider, so a model of
 * a service whose ids have slashes is written `openrouter/meta-llama/llama-4`. With nothing behind the slash, it is
 * the model of the provider's config.
 */
export function wantedModel(id: string | undefined, { providers = ['openai'] }: WorkspaceModelsOptions): WantedModel {
  const modelOf = new Map<string, string>();
  for (const each of id?.split(',') ?? ['']) {
    const { provider, model } = parts(each.trim());
    for (const name of provider === undefined ? providers : [provider]) {
      if (!modelOf.has(name)) modelOf.set(name, model);
    }
  }
  return {
    provider: { type: 'llm', name: [...modelOf.keys()] },
    idFor: (credential) => modelOf.get(credential.provider) || modelOfConfig(credential),
  };
}

/** The model of a provider's config, or another one of the same service. */
export function modelOfProvider(provider: LlmHandle, model: string | undefined): WantedModel {
  return { provider, idFor: (credential) => model || modelOfConfig(credential) };
}

function modelOfConfig({ provider, model }: LlmCredential): string {
  if (model) return model;
  throw ProviderError.configInvalid('model', `is missing: llm/${provider} has no default model, so name one`);
}

function parts(id: string): { readonly provider?: string; readonly model: string } {
  const slash = id.indexOf('/');
  return slash < 0 ? { model: id } : { provider: id.slice(0, slash), model: id.slice(slash + 1) };
}
