/** What goes to a model and comes back: options, files, tools and thoughts. */
import { describe, expect, test } from 'vitest';
import type { LlmMessage, LlmStepInput } from '../../src/protocol/llm-step.js';
import { chat, gemini, message, responses, said, useModels } from './model-services.js';

const models = useModels();
const PNG = 'iVBORw0KGgoAAAANSUhEUg==';

/** Each API: the provider's name, a model that the SDK knows, and an answer. */
const APIS = {
  anthropic: ['anthropic', 'claude-sonnet-4-5', message([{ type: 'text', text: 'hello' }])],
  openai: ['openai', 'gpt-4.1', responses([said('hello')])],
  gemini: ['gemini', 'gemini-3-pro', gemini([{ text: 'hello' }])],
  compatible: ['a-service', 'a-model', chat()],
} as const;

async function bodyFor(api: keyof typeof APIS, input: Partial<LlmStepInput>, config: object = {}) {
  const [name, model, body] = APIS[api];
  const { bodies, result } = await models.ask(
    { name, config: { model, ...config }, answer: { status: 200, body } },
    input,
  );
  return { body: bodies[0], result };
}

describe('options reach each API under its own names', () => {
  const options = { maxOutputTokens: 50, temperature: 0.5, topP: 0.9, stopSequences: ['END'] };

  test.each<[keyof typeof APIS, object]>([
    ['anthropic', { max_tokens: 50, temperature: 0.5, stop_sequences: ['END'] }],
    ['gemini', { generationConfig: { maxOutputTokens: 50, temperature: 0.5, topP: 0.9, stopSequences: ['END'] } }],
    ['openai', { max_output_tokens: 50, temperature: 0.5, top_p: 0.9 }],
    ['compatible', { max_tokens: 50, temperature: 0.5, top_p: 0.9, stop: ['END'] }],
  ])('%s', async (api, expected) => {
    expect((await bodyFor(api, options)).body).toMatchObject(expected);
  });

  test('a seed, and penalties', async () => {
    const { body } = await bodyFor('compatible', { seed: 7, presencePenalty: 1, frequencyPenalty: -1 });
    expect(body).toMatchObject({ seed: 7, presence_penalty: 1, frequency_penalty: -1 });
    expect((await bodyFor('gemini', { seed: 7 })).body).toMatchObject({ generationConfig: { seed: 7 } });
  });

  test('an option that the API does not have is listed in the result', async () => {
    expect((await bodyFor('anthropic', { seed: 7, topK: 3 })).result.ignored).toEqual(['seed']);
    expect((await bodyFor('openai', { seed: 7, stopSequences: ['x'] })).result.ignored).toEqual(
      expect.arrayContaining(['seed', 'stopSequences']),
    );
    expect((await bodyFor('compatible', { seed: 7 })).result).not.toHaveProperty('ignored');
  });

  test.each<[keyof typeof APIS, string, object]>([
    ['openai', 'gpt-5', { reasoning: { effort: 'low' } }],
    ['compatible', 'a-model', { reasoning_effort: 'low' }],
    ['gemini', 'gemini-3-pro', { generationConfig: { thinkingConfig: { thinkingLevel: 'low' } } }],
    ['gemini', 'gemini-2.5-pro', { generationConfig: { thinkingConfig: { thinkingBudget: expect.any(Number) } } }],
    ['anthropic', 'claude-opus-4-6', { output_config: { effort: 'low' }, thinking: { type: 'adaptive' } }],
  ])('the effort of reasoning: %s, %s', async (api, model, expected) => {
    expect((await bodyFor(api, { model, reasoningEffort: 'low' })).body).toMatchObject(expected);
  });

  test("a vendor's own options, which come before ours", async () => {
    const thinking = { type: 'enabled', budgetTokens: 2_000 };
    const own = await bodyFor('anthropic', { providerOptions: { anthropic: { thinking } } });
    expect(own.body).toMatchObject({ thinking: { type: 'enabled', budget_tokens: 2_000 } });
    const qwen = await bodyFor('compatible', { providerOptions: { 'a-service': { enable_thinking: false } } });
    expect(qwen.body).toMatchObject({ enable_thinking: false });
    const effort = { openaiCompatible: { reasoningEffort: 'high' } };
    expect((await bodyFor('compatible', { reasoningEffort: 'low', providerOptions: effort })).body).toMatchObject({
      reasoning_effort: 'high',
    });
  });

  test("the provider's defaults count for what a step does not give, field by field", async () => {
    const defaultOptions = { temperature: 0.1, topP: 0.2, providerOptions: { 'a-service': { a: 1, b: 1 } } };
    const { body } = await bodyFor(
      'compatible',
      { temperature: 0.9, providerOptions: { 'a-service': { b: 2 } } },
      { defaultOptions },
    );
    expect(body).toMatchObject({ temperature: 0.9, top_p: 0.2, a: 1, b: 2 });
  });
});

describe('a file in a message', () => {
  const withFile = (data: string, mediaType = 'image/png'): Partial<LlmStepInput> => ({
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'See:' },
          { type: 'file', data, mediaType },
        ],
      },
    ],
  });

  test.each<[keyof typeof APIS, RegExp]>([
    ['anthropic', /"source":\{"type":"base64","media_type":"image\/png","data":"iVBOR/],
    ['openai', /"image_url":"data:image\/png;base64,iVBOR/],
    ['gemini', /"inlineData":\{"mimeType":"image\/png","data":"iVBOR/],
    ['compatible', /"image_url":\{"url":"data:image\/png;base64,iVBOR/],
  ])('that is given inline reaches %s', async (api, sent) => {
    expect(JSON.stringify((await bodyFor(api, withFile(PNG))).body)).toMatch(sent);
    expect(JSON.stringify((await bodyFor(api, withFile(`data:image/png;base64,${PNG}`))).body)).toMatch(sent);
  });

  test.each<[keyof typeof APIS, string]>([
    ['anthropic', 'image/png'],
    ['anthropic', 'application/pdf'],
    ['openai', 'image/png'],
    ['compatible', 'image/webp'],
  ])('that is given by an https URL is left to %s: %s', async (api, mediaType) => {
    const { body } = await bodyFor(api, withFile('https://files.example.com/a', mediaType));
    expect(JSON.stringify(body)).toContain('"https://files.example.com/a"');
  });

  test.each<[string, keyof typeof APIS, string, string]>([
    ['an http URL', 'anthropic', 'http://files.example.com/a.png', 'image/png'],
    ['an internal address over http', 'openai', 'http://169.254.169.254/latest/meta-data', 'image/png'],
    ['a file of the worker', 'openai', 'file:///etc/passwd', 'image/png'],
    ['a PDF by URL', 'compatible', 'https://files.example.com/a.pdf', 'application/pdf'],
    ['audio by URL', 'compatible', 'https://files.example.com/a.wav', 'audio/wav'],
    ['text that is not base64', 'anthropic', 'not base64!', 'image/png'],
  ])('is refused before anything is sent: %s', async (_title, api, data, mediaType) => {
    const [name, model, body] = APIS[api];
    const step = await models.start(
      [{ name, config: { model }, answer: { status: 200, body } }],
      withFile(data, mediaType),
    );
    await expect(step.run).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      message: expect.stringContaining('messages.0.content.1.data must be base64'),
      details: [{ fields: ['messages.0.content.1.data'] }],
    });
    expect(step.requests(name)).toEqual([]);
  });
});

describe('tools and thoughts', () => {
  const tools = [
    { name: 'rate', description: 'A rate.', inputSchema: { type: 'object', properties: { of: { type: 'string' } } } },
  ];
  const args = { of: 'EUR' };

  /** An answer that thinks and calls the tool, in each API. What it must send back is marked. */
  const CALLS: readonly (readonly [string, string, string, object, RegExp])[] = [
    [
      'Anthropic, with the signature of the thoughts',
      'anthropic',
      'claude-sonnet-4-5',
      message(
        [
          { type: 'thinking', thinking: 'Hm.', signature: 'sig-1' },
          { type: 'tool_use', id: 'toolu_1', name: 'rate', input: args },
        ],
        { stop_reason: 'tool_use' },
      ),
      /"type":"thinking","thinking":"Hm\.","signature":"sig-1"/,
    ],
    [
      'Anthropic, with thoughts that it hides',
      'anthropic',
      'claude-sonnet-4-5',
      message(
        [
          { type: 'redacted_thinking', data: 'opaque-1' },
          { type: 'tool_use', id: 'toolu_1', name: 'rate', input: args },
        ],
        { stop_reason: 'tool_use' },
      ),
      /"type":"redacted_thinking","data":"opaque-1"/,
    ],
    [
      'OpenAI, with its encrypted reasoning item',
      'openai',
      'gpt-5-mini',
      responses([
        { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'opaque-2' },
        { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'rate', arguments: JSON.stringify(args) },
      ]),
      /"encrypted_content":"opaque-2"/,
    ],
    [
      'Gemini, with the signature of the call',
      'gemini',
      'gemini-3-pro',
      gemini([{ functionCall: { name: 'rate', args }, thoughtSignature: 'sig-3' }]),
      /"thoughtSignature":"sig-3"/,
    ],
    [
      'a compatible service, with its reasoning',
      'a-service',
      'a-model',
      chat(
        {
          content: null,
          reasoning_content: 'Hm.',
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'rate', arguments: JSON.stringify(args) } }],
        },
        {},
        'tool_calls',
      ),
      /"reasoning_content":"Hm\."/,
    ],
  ];

  test.each(CALLS)(
    'a call comes back as an answer, and goes back unchanged: %s',
    async (_title, name, model, body, sentBack) => {
      const providerOptions = { openai: { store: false } };
      const answer = { status: 200, body };
      const { result, bodies } = await models.ask({ name, config: { model }, answer }, { tools, providerOptions });
      expect(result).toMatchObject({
        finishReason: 'tool-calls',
        toolCalls: [{ type: 'tool-call', toolName: 'rate', input: args }],
      });
      expect(JSON.stringify(bodies[0])).toContain('"rate"');

      const [call] = result.toolCalls ?? [];
      const conversation: LlmMessage[] = [
        { role: 'user', content: 'How much?' },
        // As a history stores it.
        JSON.parse(JSON.stringify(result.message)) as LlmMessage,
        {
          role: 'tool',
          content: [
            {
              ...{ type: 'tool-result', toolCallId: call?.toolCallId ?? '', toolName: 'rate' },
              output: { type: 'json', value: { rate: 1.25 } },
            },
          ],
        },
      ];
      const next = await models.ask(
        { name, config: { model }, answer },
        { messages: conversation, tools, providerOptions },
      );
      const sent = JSON.stringify(next.bodies[0]);
      expect(sent).toMatch(sentBack);
      expect(sent).toMatch(/1\.25/);
    },
  );

  test.each<[keyof typeof APIS, LlmStepInput['toolChoice'], object]>([
    ['anthropic', 'required', { tool_choice: { type: 'any' } }],
    ['compatible', { toolName: 'rate' }, { tool_choice: { type: 'function', function: { name: 'rate' } } }],
    ['gemini', 'none', { toolConfig: { functionCallingConfig: { mode: 'NONE' } } }],
  ])('the choice of a tool reaches %s', async (api, toolChoice, expected) => {
    expect((await bodyFor(api, { tools, toolChoice })).body).toMatchObject(expected);
  });
});
