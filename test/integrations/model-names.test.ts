import { describe, expect, test } from 'vitest';
import { wantedModel } from '../../src/integrations/model-names.js';

const credential = (provider: string, model?: string) => ({
  ...{ provider, apiKey: 'a key of a test', baseURL: 'https://service.test', model },
});

describe('the id of a model', () => {
  test.each<[string, string[], string, string]>([
    ['anthropic/claude-sonnet-5-5', ['anthropic'], 'anthropic', 'claude-sonnet-5-5'],
    ['gpt-5-mini', ['openai'], 'openai', 'gpt-5-mini'],
    ['openrouter/meta-llama/llama-4', ['openrouter'], 'openrouter', 'meta-llama/llama-4'],
    ['anthropic/claude-sonnet-5-5, openai/gpt-5-mini', ['anthropic', 'openai'], 'openai', 'gpt-5-mini'],
    ['anthropic/a,anthropic/b', ['anthropic'], 'anthropic', 'a'],
    ['anthropic/', ['anthropic'], 'anthropic', 'of-the-config'],
  ])('%s names %j; with %s it is %s', (id, names, provider, model) => {
    const wanted = wantedModel(id, {});
    expect(wanted.provider).toEqual({ type: 'llm', name: names });
    expect(wanted.idFor(credential(provider, 'of-the-config'))).toBe(model);
  });

  test('without a provider is served by the first of the preferred ones that the workspace has', () => {
    const wanted = wantedModel('large', { providers: ['local', 'groq'] });
    expect(wanted.provider).toEqual({ type: 'llm', name: ['local', 'groq'] });
    expect(wanted.idFor(credential('groq'))).toBe('large');
  });

  test('may be missing if the config of the provider has one', () => {
    expect(wantedModel(undefined, {}).idFor(credential('openai', 'gpt-5-mini'))).toBe('gpt-5-mini');
    expect(() => wantedModel(undefined, {}).idFor(credential('openai'))).toThrow(
      'model is missing: llm/openai has no default model, so name one',
    );
  });
});
