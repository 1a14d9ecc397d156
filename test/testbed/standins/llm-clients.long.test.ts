/** The official SDKs and the AI SDK check the wire formats: each receives its own types and errors. */

import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import Anthropic from '@anthropic-ai/sdk';
import { ApiError, GoogleGenAI } from '@google/genai';
import { APICallError, generateText, type LanguageModel, Output } from 'ai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type LlmStandIn, startLlmStandIn } from '../../../testbed/standins/llm.js';

const PROVIDERS = ['anthropic', 'openai', 'gemini', 'openai-compatible'] as const;
type Provider = (typeof PROVIDERS)[number];

let standIn: LlmStandIn;
beforeAll(async () => {
  standIn = await startLlmStandIn({
    keys: PROVIDERS.map((provider) => ({ provider, key: keyOf(provider), owner: 'ws_acme' })),
  });
});
afterAll(() => standIn.stop());

const keyOf = (provider: Provider) => `canary-${provider}-of-acme`;

const sdk = {
  anthropic: (apiKey = keyOf('anthropic')) =>
    new Anthropic({ apiKey, baseURL: standIn.baseUrls.anthropic.sdk, maxRetries: 0 }),
  openai: (provider: 'openai' | 'openai-compatible', apiKey = keyOf(provider)) =>
    new OpenAI({ apiKey, baseURL: standIn.baseUrls[provider].sdk, maxRetries: 0 }),
  gemini: (apiKey = keyOf('gemini')) =>
    new GoogleGenAI({ apiKey, httpOptions: { baseUrl: standIn.baseUrls.gemini.sdk } }),
};

describe("the vendors' SDKs work with the stand-in", () => {
  test('Anthropic: a message, its usage, and the models', async () => {
    const message = await sdk.anthropic().messages.create({
      model: 'claude-sonnet-5-5',
      max_tokens: 100,
      system: 'eight ch',
      messages: [{ role: 'user', content: [{ type: 'text', text: 'eight ch' }] }],
    });
    expect(message.content).toEqual([{ type: 'text', text: 'claude-sonnet-5-5 answers with the key of ws_acme' }]);
    expect(message.usage).toMatchObject({
      input_tokens: Math.ceil('eight ch\neight ch'.length / 4),
      output_tokens: 13,
    });
    const models = await sdk.anthropic().models.list();
    expect(models.data.map(({ id }) => id)).toContain('claude-sonnet-5-5');
  });

  test('OpenAI: a response, a chat completion, and the models', async () => {
    const response = await sdk.openai('openai').responses.create({ model: 'gpt-5-mini', input: 'question' });
    expect(response.output_text).toBe('gpt-5-mini answers with the key of ws_acme');
    expect(response.usage).toMatchObject({ input_tokens: 2, output_tokens: 11, total_tokens: 13 });
    for (const provider of ['openai', 'openai-compatible'] as const) {
      const chat = await sdk
        .openai(provider)
        .chat.completions.create({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'question' }] });
      expect(chat.choices[0]?.message.content).toBe('gpt-4o-mini answers with the key of ws_acme');
      expect(chat.usage?.total_tokens).toBe(13);
      expect((await sdk.openai(provider).models.list()).data.map(({ id }) => id)).toContain('gpt-4o-mini');
    }
  });

  test('Gemini: generated content, and the models', async () => {
    const content = await sdk.gemini().models.generateContent({ model: 'gemini-2.5-flash', contents: 'question' });
    expect(content.text).toBe('gemini-2.5-flash answers with the key of ws_acme');
    expect(content.usageMetadata).toMatchObject({ promptTokenCount: 2, totalTokenCount: 14 });
    const models = await sdk.gemini().models.list();
    expect(models.page.map(({ name }) => name)).toContain('models/gemini-2.5-flash');
  });

  test('Anthropic: a message as a stream, and a call of a tool', async () => {
    const messages = [{ role: 'user' as const, content: 'question' }];
    const asked = { model: 'claude-sonnet-5-5', max_tokens: 9, messages };
    const message = await sdk.anthropic().messages.stream(asked).finalMessage();
    expect(message.content).toEqual([{ type: 'text', text: 'claude-sonnet-5-5 answers with the key of ws_acme' }]);
    expect([message.stop_reason, message.usage.output_tokens]).toEqual(['end_turn', 13]);
    const tools = [{ name: 'rate', input_schema: { type: 'object' as const, properties: { of: { type: 'string' } } } }];
    const called = await sdk
      .anthropic()
      .messages.stream({ ...asked, tools })
      .finalMessage();
    expect(called).toMatchObject({ stop_reason: 'tool_use', content: [{ type: 'tool_use', name: 'rate' }] });
  });

  test('Gemini: generated content as a stream', async () => {
    const stream = await sdk.gemini().models.generateContentStream({ model: 'gemini-2.5-flash', contents: 'question' });
    const parts: string[] = [];
    for await (const { text } of stream) parts.push(text ?? '');
    expect(parts.length).toBeGreaterThan(2);
    expect(parts.join('')).toBe('gemini-2.5-flash answers with the key of ws_acme');
  });
});

describe("a key that is not admitted gets the service's own refusal", () => {
  test('Anthropic: 401 authentication_error', async () => {
    const error = await failure(sdk.anthropic('canary-unknown').models.list());
    expect(error).toBeInstanceOf(Anthropic.AuthenticationError);
    expect(error).toMatchObject({ status: 401, type: 'authentication_error', requestID: expect.any(String) });
  });

  test('OpenAI: 401 invalid_api_key, with a part of the key in its message', async () => {
    const error = await failure(sdk.openai('openai', 'canary-never-admitted-a1b2').models.list());
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(error).toMatchObject({ status: 401, code: 'invalid_api_key' });
    expect(error.message).toMatch(/Incorrect API key provided: canary-n\*{14}a1b2\./);
  });

  test('Gemini: 400 INVALID_ARGUMENT with the reason API_KEY_INVALID', async () => {
    const error = await failure(sdk.gemini('canary-unknown').models.list());
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 400, message: expect.stringContaining('API_KEY_INVALID') });
  });

  test('a key of another service is refused', async () => {
    await expect(sdk.anthropic(keyOf('openai')).models.list()).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
  });

  test('a call without a key is refused and recorded as such', async () => {
    const bare = async (path: string) => (await fetch(`${standIn.url}${path}`)).status;
    expect(await bare('/anthropic/v1/models')).toBe(401);
    expect(await bare('/openai/v1/models')).toBe(401);
    expect(await bare('/gemini/v1beta/models')).toBe(403);
    expect(standIn.calls().at(-1)).toMatchObject({ provider: 'gemini', owner: 'no-key', status: 403 });
  });

  test('Anthropic requires its version header', async () => {
    const response = await fetch(`${standIn.url}/anthropic/v1/models`, {
      headers: { 'x-api-key': keyOf('anthropic') },
    });
    expect(response.status).toBe(400);
  });
});

const aiSdk: Record<string, (apiKey?: string) => LanguageModel> = {
  'Anthropic, structured outputs': (apiKey = keyOf('anthropic')) =>
    createAnthropic({ apiKey, baseURL: standIn.baseUrls.anthropic.aiSdk })('claude-sonnet-5-5'),
  'Anthropic, an older model: a forced tool': (apiKey = keyOf('anthropic')) =>
    createAnthropic({ apiKey, baseURL: standIn.baseUrls.anthropic.aiSdk })('claude-3-haiku-20240307'),
  'OpenAI, responses': (apiKey = keyOf('openai')) =>
    createOpenAI({ apiKey, baseURL: standIn.baseUrls.openai.aiSdk })('gpt-5-mini'),
  'OpenAI, chat completions': (apiKey = keyOf('openai')) =>
    createOpenAI({ apiKey, baseURL: standIn.baseUrls.openai.aiSdk }).chat('gpt-4o-mini'),
  Gemini: (apiKey = keyOf('gemini')) =>
    createGoogleGenerativeAI({ apiKey, baseURL: standIn.baseUrls.gemini.aiSdk })('gemini-2.5-flash'),
  'OpenAI-compatible': (apiKey = keyOf('openai-compatible')) =>
    createOpenAICompatible({
      name: 'compatible',
      apiKey,
      baseURL: standIn.baseUrls['openai-compatible'].aiSdk,
      supportsStructuredOutputs: true,
    })('any-model'),
};

describe.each(Object.entries(aiSdk))('the AI SDK: %s', (_, model) => {
  test('returns text and usage', async () => {
    const { text, usage, finishReason } = await generateText({ model: model(), prompt: 'question', maxRetries: 0 });
    expect(text).toMatch(/answers with the key of ws_acme$/);
    expect(usage).toMatchObject({ inputTokens: 2, outputTokens: Math.ceil(text.length / 4) });
    expect(finishReason).toBe('stop');
  });

  test('returns an object that matches the schema', async () => {
    const plan = z.object({
      address: z.string(),
      calls: z.array(z.object({ method: z.enum(['eth_getBalance', 'eth_call']), block: z.int() })),
      certain: z.boolean(),
      note: z.string().nullable(),
    });
    const { output } = await generateText({
      model: model(),
      prompt: 'question',
      output: Output.object({ schema: plan }),
      maxRetries: 0,
    });
    expect(plan.parse(output).calls).toHaveLength(1);
  });

  test('throws an APICallError that is not retried if the key is wrong', async () => {
    const error = await failure(generateText({ model: model('canary-unknown'), prompt: 'question', maxRetries: 0 }));
    expect(error).toBeInstanceOf(APICallError);
    expect(error).toMatchObject({ isRetryable: false });
    expect([400, 401]).toContain((error as APICallError).statusCode);
  });
});

async function failure(work: PromiseLike<unknown>): Promise<Error> {
  const outcome = await Promise.resolve(work).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof Error) return outcome;
  throw new Error('the call should have failed');
}
