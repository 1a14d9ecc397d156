/** Streams on the wire: the result is that of the same answer in one piece, and what breaks a stream is understood. */
import { describe, expect, test } from 'vitest';
import type { ServiceReply } from '../providers/local-service.js';
import { chat, chatStream, useModels } from './model-services.js';

const models = useModels();
const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
const named = (data: { readonly type: string }) => `event: ${data.type}\n${event(data)}`;
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };

const MESSAGE = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-x', content: [], stop_reason: null };
const anthropic = (text: string, stop: string | null = 'end_turn') => [
  named({ type: 'message_start', message: { ...MESSAGE, usage: { input_tokens: 3, output_tokens: 1 } } } as never),
  named({ type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } } as never),
  named({ type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm.' } } as never),
  named({ type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'sig-1' } } as never),
  named({ type: 'content_block_stop', index: 0 } as never),
  named({ type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } } as never),
  named({ type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text } } as never),
  ...(stop === null
    ? []
    : [
        named({ type: 'content_block_stop', index: 1 } as never),
        named({ type: 'message_delta', delta: { stop_reason: stop }, usage: { output_tokens: 2 } } as never),
        named({ type: 'message_stop' }),
      ]),
];
const gemini = (text: string, finishReason?: string) => [
  event({ candidates: [{ content: { role: 'model', parts: [{ text }] } }] }),
  event({
    candidates: [{ content: { role: 'model', parts: [{ text: '' }] }, ...(finishReason && { finishReason }) }],
    usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
    modelVersion: 'gemini-x',
  }),
];
const CONFIG: Readonly<Record<string, Record<string, string>>> = {
  anthropic: { model: 'claude-sonnet-4-5' },
  gemini: { model: 'gemini-3-pro' },
};

describe('the result of a stream is whole', () => {
  test.each<[string, ServiceReply['events'], object]>([
    ['a-service', chatStream(['hel', 'lo'], { usage }), { answeringModel: 'a-model-2026', requestId: 'chatcmpl-1' }],
    ['anthropic', anthropic('hello'), { answeringModel: 'claude-x', requestId: 'msg_1' }],
    ['gemini', gemini('hello', 'STOP'), {}],
  ])('%s', async (name, events, expected) => {
    const { result, bodies, requests } = await models.ask(
      { name, config: CONFIG[name], answer: { status: 200, events } },
      { stream: true },
    );
    expect(result).toMatchObject({
      text: 'hello',
      finishReason: 'stop',
      usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 },
      ...expected,
    });
    expect(bodies[0]?.stream === true || requests[0]?.path.includes(':streamGenerateContent')).toBe(true);
  });

  test('with the thoughts and their signature, which come last', async () => {
    const answer = { status: 200, events: anthropic('hello') };
    const { result } = await models.ask({ name: 'anthropic', config: CONFIG.anthropic, answer }, { stream: true });
    expect(result.message.content).toMatchObject([
      { type: 'reasoning', text: 'Hm.', providerOptions: { anthropic: { signature: 'sig-1' } } },
      { type: 'text', text: 'hello' },
    ]);
  });

  test('with the calls of tools', async () => {
    const call = (args: string, more: object = {}) =>
      event({
        choices: [
          { index: 0, delta: { tool_calls: [{ index: 0, ...more, function: { name: 't', arguments: args } }] } },
        ],
      });
    const end = event({ choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] });
    const events = [call('{"a"', { id: 'c1', type: 'function' }), call(':1}'), end];
    const { result } = await models.ask(
      { name: 'a-service', answer: { status: 200, events } },
      { stream: true, tools: [{ name: 't', inputSchema: { type: 'object' } }] },
    );
    expect(result).toMatchObject({ finishReason: 'tool-calls', toolCalls: [{ toolCallId: 'c1', input: { a: 1 } }] });
  });

  test("if only the provider's config asks for it; a step may ask for one piece", async () => {
    const onlyStreams = ({ body }: { readonly body: string }): ServiceReply =>
      body.includes('"stream":true')
        ? { status: 200, events: chatStream(['hello']) }
        : { status: 400, body: { error: { message: 'This model only supports stream mode' } } };
    const model = { name: 'a-service', config: { stream: true }, answer: onlyStreams };
    expect((await models.ask(model)).result.text).toBe('hello');
    await expect(models.ask(model, { stream: false })).rejects.toMatchObject({ type: 'ProviderRequestInvalid' });
  });
});

describe('a stream that breaks is no answer', () => {
  test.each<[string, string, ServiceReply]>([
    ['the connection is cut', 'a-service', { status: 200, events: chatStream(['hel'], {}, null), isCut: true }],
    ['it ends without its end', 'a-service', { status: 200, events: chatStream(['hel'], {}, null) }],
    ['it ends without its end, Anthropic', 'anthropic', { status: 200, events: anthropic('hel', null) }],
    ['it ends without its end, Gemini', 'gemini', { status: 200, events: gemini('hel') }],
    ['it is in one piece', 'a-service', { status: 200, body: chat() }],
    ['it is empty', 'a-service', { status: 200, events: [] }],
    ['it is a page', 'a-service', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html></html>' }],
    [
      'the service runs out of resources',
      'a-service',
      { status: 200, events: chatStream(['h'], {}, 'insufficient_system_resource') },
    ],
  ])('%s', async (_title, name, answer) => {
    const step = models.ask({ name, config: CONFIG[name], answer }, { stream: true });
    await expect(step).rejects.toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false });
  });

  test.each<[string, string, readonly string[], string]>([
    [
      'Anthropic is overloaded',
      'anthropic',
      [...anthropic('hel', null), named({ type: 'error', error: { type: 'overloaded_error', message: 'x' } } as never)],
      'ProviderRateLimited',
    ],
    [
      'OpenRouter is out of credit',
      'a-service',
      [...chatStream(['hel'], {}, null), event({ error: { code: 402, message: 'Insufficient credits' } })],
      'ProviderQuotaExhausted',
    ],
    [
      'Gemini is away',
      'gemini',
      [...gemini('hel'), event({ error: { code: 503, message: 'x', status: 'UNAVAILABLE' } })],
      'ProviderUnavailable',
    ],
    [
      'a service refuses the key',
      'a-service',
      [event({ error: { code: 'invalid_api_key', type: 'invalid_request_error', message: 'x' } })],
      'CredentialRejected',
    ],
  ])('an error within it means what it says: %s', async (_title, name, events, type) => {
    const step = models.ask({ name, config: CONFIG[name], answer: { status: 200, events } }, { stream: true });
    await expect(step).rejects.toMatchObject({ type });
  });

  test('a stream that is cut at its largest length is a cut answer', async () => {
    const answer = { status: 200, events: chatStream(['hel'], {}, 'length') };
    const { result } = await models.ask({ name: 'a-service', answer }, { stream: true });
    expect(result).toMatchObject({ text: 'hel', finishReason: 'length' });
  });
});
