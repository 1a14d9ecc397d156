import { describe, expect, test } from 'vitest';
import { chat, gemini, message, responses, said, useModels } from './model-services.js';

const models = useModels();

describe('a bill can be made from the result', () => {
  test.each<[string, string, object, Record<string, string>, object]>([
    [
      'Anthropic: input has what was cached and written',
      'anthropic',
      message([{ type: 'text', text: 'x' }], {
        usage: { input_tokens: 3, cache_read_input_tokens: 1_000, cache_creation_input_tokens: 50, output_tokens: 2 },
      }),
      { 'request-id': 'req_011' },
      {
        usage: {
          inputTokens: 1_053,
          cachedInputTokens: 1_000,
          cacheWriteTokens: 50,
          outputTokens: 2,
          totalTokens: 1_055,
        },
        requestId: 'req_011',
        answeringModel: 'a-model-2026',
      },
    ],
    [
      'OpenAI',
      'openai',
      responses([said('x')], {
        usage: {
          ...{ input_tokens: 100, input_tokens_details: { cached_tokens: 60 } },
          ...{ output_tokens: 20, output_tokens_details: { reasoning_tokens: 15 }, total_tokens: 120 },
        },
      }),
      { 'x-request-id': 'req-abc' },
      {
        usage: { inputTokens: 100, cachedInputTokens: 60, outputTokens: 20, reasoningTokens: 15, totalTokens: 120 },
        requestId: 'req-abc',
        answeringModel: 'gpt-5-mini-2026-01-01',
      },
    ],
    [
      'Gemini: thoughts are part of the output',
      'gemini',
      gemini([{ text: 'x' }], {
        modelVersion: 'gemini-3-pro-001',
        responseId: 'r-1',
        usageMetadata: {
          ...{ promptTokenCount: 100, cachedContentTokenCount: 40 },
          ...{ candidatesTokenCount: 5, thoughtsTokenCount: 15, totalTokenCount: 120 },
        },
      }),
      {},
      {
        usage: { inputTokens: 100, cachedInputTokens: 40, outputTokens: 20, reasoningTokens: 15, totalTokens: 120 },
        requestId: 'r-1',
      },
    ],
    [
      'a gateway that answers with another model',
      'a-service',
      chat({ content: 'x' }, { model: 'vendor/other-model', id: 'gen-1' }),
      { 'cf-ray': '8f-FRA' },
      {
        usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 },
        requestId: '8f-FRA',
        answeringModel: 'vendor/other-model',
      },
    ],
    [
      'a service that counts nothing',
      'a-service',
      chat({ content: 'x' }, { usage: undefined }),
      {},
      { requestId: 'chatcmpl-1' },
    ],
  ])('%s', async (_title, name, body, headers, expected) => {
    const config = name === 'gemini' ? { model: 'gemini-3-pro' } : {};
    const { result } = await models.ask({ name, config, answer: { status: 200, headers, body } });
    expect(result).toMatchObject(expected);
  });

  test('a text of the service that is not a name stays out of the result', async () => {
    const headers = { 'x-request-id': `<${'x'.repeat(300)}>` };
    const { result } = await models.ask({
      name: 'a-service',
      answer: { status: 200, headers, body: chat({}, { id: 'a b' }) },
    });
    expect(result.requestId).toBeUndefined();
  });
});
