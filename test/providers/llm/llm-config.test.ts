import { describe, expect, it } from 'vitest';
import { parseProvider } from '../../support/built-in-types.js';

const baseURL = 'https://models.example.com/v1';
const CANARY = 'canary-key-5e1f0c7d';
const parse = (config: object, name = 'a-service') =>
  parseProvider('llm', name, { baseURL, ...config }, { apiKey: CANARY });

describe('a config that does not fit is refused by its field, without its value [G18]', () => {
  it.each<[string, object, string]>([
    ['a credential as a header', { headers: { authorization: `Bearer ${CANARY}` } }, 'headers'],
    ['the key header of another API', { headers: { 'x-api-key': CANARY } }, 'headers'],
    ["a gateway's own key header", { headers: { 'cf-aig-authorization': CANARY } }, 'headers'],
    ['a cookie', { headers: { cookie: CANARY } }, 'headers'],
    ['a credential under an innocent name', { headers: { 'x-tenant': `Bearer ${CANARY}` } }, 'headers'],
    ['a JWT under an innocent name', { headers: { 'x-tenant': `eyJhbGciOiJIUzI1NiJ9.${CANARY}` } }, 'headers'],
    ['another host', { headers: { host: 'evil.test' } }, 'headers'],
    ['a forwarded host', { headers: { 'x-forwarded-host': 'evil.test' } }, 'headers'],
    ['another URL for a proxy', { headers: { 'x-original-url': '/admin' } }, 'headers'],
    ['a length', { headers: { 'content-length': '0' } }, 'headers'],
    ['a smuggled body', { headers: { 'transfer-encoding': 'chunked' } }, 'headers'],
    ['another method', { headers: { 'x-http-method-override': 'DELETE' } }, 'headers'],
    ['a line break', { headers: { 'x-a': `b\r\nx-c: ${CANARY}` } }, 'headers'],
    ['a name in capitals, which another reader would sort elsewhere', { headers: { 'X-A': 'b' } }, 'headers'],
    ['a name that is no name', { headers: { 'x a': 'b' } }, 'headers'],
    ['a text instead of headers', { headers: 'x-a: b' }, 'headers'],
    [
      'too many headers',
      { headers: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`x-${i}`, 'a'])) },
      'headers',
    ],
    ['a long header', { headers: { 'x-a': 'a'.repeat(2_000) } }, 'headers'],
    ['a query in the version', { apiVersion: '1&key=2' }, 'apiVersion'],
    ['an unknown API', { protocol: 'grpc' }, 'protocol'],
    ['an unknown key header', { keyHeader: 'x-token' }, 'keyHeader'],
    ['an unknown token parameter', { tokenParameter: 'maxTokens' }, 'tokenParameter'],
    ['the model left out', { omitParameters: ['model'] }, 'omitParameters'],
    ['a name that is no field', { omitParameters: ['a b'] }, 'omitParameters'],
    ['an unknown way to say a schema', { structuredOutputs: 'tool' }, 'structuredOutputs'],
    ['a stream as text', { stream: 'true' }, 'stream'],
    ['an option out of range', { defaultOptions: { temperature: 3 } }, 'defaultOptions'],
    ['an unknown option', { defaultOptions: { [CANARY]: 1 } }, 'defaultOptions'],
    ['options that are a list', { defaultOptions: [] }, 'defaultOptions'],
    ['long options', { defaultOptions: { providerOptions: { a: { b: CANARY.repeat(300) } } } }, 'defaultOptions'],
    ["a model that would leave Gemini's path", { protocol: 'gemini', model: '../secrets' }, 'model'],
  ])('%s', (_title, config, field) => {
    const refused = expect.objectContaining({ type: 'ProviderConfigInvalid', facts: { fields: [`config.${field}`] } });
    expect(() => parse(config)).toThrow(refused);
    expect(() => parse(config)).not.toThrow(CANARY);
  });

  it.each([
    ['anthropic', { protocol: 'chat-completions' }],
    ['gemini', { protocol: 'anthropic' }],
    ['openai', { protocol: 'gemini' }],
  ])('%s speaks its own API: another is not accepted', (name, config) => {
    expect(() => parse(config, name)).toThrow(/config/);
  });

  it('the rule of an option names the option', () => {
    expect(() => parse({ defaultOptions: { temperature: 3 } })).toThrow('temperature must be a number from 0 to 2');
  });
});

describe('a config that fits', () => {
  it.each<[string, object]>([
    ['Azure OpenAI', { apiVersion: '2024-10-21', keyHeader: 'api-key', tokenParameter: 'max_completion_tokens' }],
    ['OpenRouter', { headers: { 'http-referer': 'https://acme.example', 'x-title': 'Acme' } }],
    ['a gateway', { headers: { 'x-portkey-provider': 'openai', 'anthropic-beta': 'a-2026-01-01,b-2026-02-02' } }],
    ['Qwen', { stream: true, defaultOptions: { providerOptions: { 'a-service': { enable_thinking: false } } } }],
    ['Z.ai', { protocol: 'anthropic' }],
  ])('of %s is accepted, and part of the credential', (_title, config) => {
    expect(parse(config).credential).toMatchObject(config);
  });

  it('seals the secret for its headers and its version too, in one order [G11]', () => {
    const { destination } = parse({
      apiVersion: 'v1',
      headers: { 'x-b': '2', 'x-a-b': '3', 'x-a': '1' },
      model: 'm',
      stream: true,
    });
    expect(destination).toBe(`${baseURL} apiVersion=v1 header:x-a=1 header:x-a-b=3 header:x-b=2`);
    expect(parse({}).destination).toBe(baseURL);
  });
});
