/** A base URL that the page of a vendor shows with the path of a call leads nowhere: it is refused with the rule. */
import { describe, expect, it } from 'vitest';
import { parseProvider } from '../support/built-in-types.js';

const KEY = 'canary-key-5e1f0c7d';
const tenderly = (baseURL: string) => ({ account: 'acme', project: 'agents', baseURL });

describe('a base URL', () => {
  it.each<[string, string, string]>([
    ['llm', 'gateway', 'https://h.example/v1/chat/completions'],
    ['llm', 'gateway', 'https://h.example/v1/chat/completions/'],
    ['llm', 'gateway', 'https://h.example/openai/deployments/a/chat/completions'],
    ['llm', 'gateway', 'https://h.example/v1/completions'],
    ['llm', 'openai', 'https://api.openai.com/v1/responses'],
    ['llm', 'anthropic', 'https://api.anthropic.com/v1/messages'],
    ['llm', 'anthropic', 'https://h.example/anthropic/v1/models'],
    ['llm', 'gemini', 'https://h.example/v1beta/models/a-model:generateContent'],
    ['llm', 'gemini', 'https://h.example/v1beta/models/a-model:streamGenerateContent'],
    ['llm', 'gateway', 'https://h.example/V2/Embeddings'],
    ['llm-admin', 'anthropic', 'https://h.example/v1/organizations/api_keys'],
  ])('of %s/%s must not have the path of a call: %s', (type, name, baseURL) => {
    const secret = type === 'llm' ? { apiKey: KEY } : { adminKey: KEY };
    expect(() => parseProvider(type, name, { baseURL }, secret)).toThrow(
      /config\.baseURL must be the base URL of the API, without the path of a call/,
    );
  });

  it('of openai must have the version at the own URL of the vendor', () => {
    expect(() => parseProvider('llm', 'openai', { baseURL: 'https://api.openai.com/' }, { apiKey: KEY })).toThrow(
      /config\.baseURL must end with the version of the API: https:\/\/api\.openai\.com\/v1/,
    );
  });

  it.each(['https://api.tenderly.co/api/v1', 'https://api.tenderly.co/api/v1/account/me/project/p/simulate'])(
    'of tenderly must not have the path of the API: %s',
    (baseURL) => {
      expect(() => parseProvider('tenderly', 'default', tenderly(baseURL), { accessKey: KEY })).toThrow(
        /config\.baseURL must be without the path \/api\/v1/,
      );
    },
  );

  it.each<[string, string]>([
    ['openrouter', 'https://openrouter.ai/api/v1'],
    ['groq', 'https://api.groq.com/openai/v1'],
    ['azure', 'https://acme.openai.azure.com/openai/v1'],
    ['foundry', 'https://acme.services.ai.azure.com/models'],
    ['vertex', 'https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi'],
    ['gemini-compatible', 'https://generativelanguage.googleapis.com/v1beta/openai'],
    ['bedrock', 'https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1'],
    ['fireworks', 'https://api.fireworks.ai/inference/v1'],
    ['zai', 'https://api.z.ai/api/paas/v4'],
    ['cloudflare', 'https://gateway.ai.cloudflare.com/v1/account/gateway/compat'],
    ['ollama', 'http://localhost:11434/v1'],
    ['a-path-of-that-name', 'https://h.example/messages'],
    ['anthropic', 'https://api.anthropic.com/v1'],
  ])('of %s is accepted as the service documents it: %s', (name, baseURL) => {
    expect(parseProvider('llm', name, { baseURL }, { apiKey: KEY }).config).toEqual({ baseURL });
  });
});
