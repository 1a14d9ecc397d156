/** What the AI SDK sends for a credential: only the credential's key, and never one from the environment. */
import { inspect } from 'node:util';
import { generateText, jsonSchema, Output } from 'ai';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFetch, type HttpClient } from '../../../src/egress/http-client.js';
import { aiSdkModel } from '../../../src/providers/llm/ai-sdk-model.js';
import { LOOPBACK_POLICY } from '../../../testbed/loopback.js';
import { parseProvider } from '../../support/built-in-types.js';
import { startService } from '../local-service.js';

const KEY = 'canary-llm-key-a1b2c3d4';
const ENVIRONMENT_KEY = 'canary-of-the-platform';

let http: HttpClient;
beforeAll(() => {
  http = createFetch({ egress: LOOPBACK_POLICY });
});
afterAll(() => http.close());

beforeEach(() => {
  for (const name of ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'OPENAI_API_KEY', 'GOOGLE_GENERATIVE_AI_API_KEY']) {
    vi.stubEnv(name, ENVIRONMENT_KEY);
  }
  for (const name of ['ANTHROPIC_BASE_URL', 'OPENAI_BASE_URL', 'GOOGLE_GENERATIVE_AI_BASE_URL']) {
    vi.stubEnv(name, `https://${ENVIRONMENT_KEY}.example`);
  }
  return () => vi.unstubAllEnvs();
});

const text = '{"name":"Ada"}';
const anthropicAnswer = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'a-model',
  content: [{ type: 'text', text }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 3, output_tokens: 2 },
};
const openaiAnswer = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'a-model',
  output: [
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text, annotations: [] }],
    },
  ],
  usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
};
const geminiAnswer = {
  candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP', index: 0 }],
  usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
};
const compatibleAnswer = {
  id: 'chatcmpl_1',
  object: 'chat.completion',
  created: 1,
  model: 'a-model',
  choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
};

describe.each<[name: string, base: string, path: string, header: object, answer: object]>([
  ['anthropic', '', '/v1/messages', { 'x-api-key': KEY }, anthropicAnswer],
  ['openai', '/v1', '/v1/responses', { authorization: `Bearer ${KEY}` }, openaiAnswer],
  ['gemini', '', '/v1beta/models/a-model:generateContent', { 'x-goog-api-key': KEY }, geminiAnswer],
  ['mistral', '/v1', '/v1/chat/completions', { authorization: `Bearer ${KEY}` }, compatibleAnswer],
])('%s', (name, base, path, header, answer) => {
  const model = (url: string) => {
    const { credential, service } = parseProvider('llm', name, { baseURL: `${url}${base}` }, { apiKey: KEY });
    return aiSdkModel(credential, 'a-model', service.adaptFetch(http.fetch));
  };

  it("is called at the vendor's path, with the key of the credential and none from the environment", async () => {
    const service = await startService({ status: 200, body: answer });
    const result = await generateText({ model: model(service.url), prompt: 'Who?', maxRetries: 0 });
    expect(result.text).toBe(text);
    expect(result.usage).toMatchObject({ inputTokens: 3, outputTokens: 2 });
    expect(service.requests).toHaveLength(1);
    expect(service.requests[0]).toMatchObject({ method: 'POST', path, headers: header });
    expect(JSON.stringify(service.requests)).not.toContain(ENVIRONMENT_KEY);
  });

  it('gets the schema that its answer must match', async () => {
    const service = await startService({ status: 200, body: answer });
    const schema = jsonSchema<{ name: string }>({
      type: 'object',
      properties: { name: { type: 'string', description: 'the-name-in-the-schema' } },
      required: ['name'],
      additionalProperties: false,
    });
    const call = { model: model(service.url), prompt: 'Who?', output: Output.object({ schema }), maxRetries: 0 };
    // Anthropic answers with the input of a tool, which this stand-in does not. Only the request matters here.
    await generateText(call).catch(() => undefined);
    expect(service.requests[0]?.body).toContain('the-name-in-the-schema');
  });
});

it('OpenAI gets the organization and the project in headers', async () => {
  const service = await startService({ status: 200, body: openaiAnswer });
  const config = { baseURL: `${service.url}/v1`, organization: 'org-1', project: 'proj_1' };
  const { credential } = parseProvider('llm', 'openai', config, { apiKey: KEY });
  await generateText({ model: aiSdkModel(credential, 'a-model', http.fetch), prompt: 'Who?', maxRetries: 0 });
  expect(service.requests[0]?.headers).toMatchObject({ 'openai-organization': 'org-1', 'openai-project': 'proj_1' });
});

it.each(['../../attacker', 'models/..', 'a/../../b', 'a?key=1', 'a#b', '%2e%2e/a', 'a\\..\\b', '/attacker', ''])(
  'the model %j of Gemini is refused, because it would lead the key to another path [G11]',
  (modelId) => {
    const { credential } = parseProvider('llm', 'gemini', {}, { apiKey: KEY });
    expect(() => aiSdkModel(credential, modelId, http.fetch)).toThrow(
      expect.objectContaining({ type: 'ProviderConfigInvalid', facts: { fields: ['model'] } }),
    );
  },
);

it.each(['anthropic', 'openai', 'gemini', 'local-model'])('a model of %s does not print its key', (name) => {
  const config = name === 'local-model' ? { baseURL: 'https://llm.example/v1' } : {};
  const { credential } = parseProvider('llm', name, config, { apiKey: KEY });
  const model = aiSdkModel(credential, 'a-model', http.fetch);
  expect(inspect({ credential, model }, { depth: 20, showHidden: true })).not.toContain(KEY);
  expect(JSON.stringify({ credential, model })).not.toContain(KEY);
});
