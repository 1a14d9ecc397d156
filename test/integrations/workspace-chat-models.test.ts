/** What models of LangChain hold, where they call, and what ends a stream: without a server. */
import { inspect } from 'node:util';
import { BaseCallbackHandler } from '@langchain/core/callbacks/base';
import type { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { workspaceChatModel, workspaceEmbeddings } from '../../src/langchain.js';
import { type TestService, testProviders } from '../../src/testing.js';
import { inActivity } from '../activities/in-activity.js';

const KEY = 'key-of-acme-for-tests';
const KEYS = { apiKey: KEY };

const completion = {
  ...{ id: 'c', object: 'chat.completion', created: 1, model: 'm' },
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
};

/** Runs as an activity of a workspace with these providers. Returns the requests too. */
function activityWith(providers: Parameters<typeof testProviders>[0][string], service: TestService) {
  const requests: Request[] = [];
  const test = testProviders(
    { ws_acme: providers },
    {
      service: (request, provider) => {
        requests.push(request.clone() as Request);
        return service(request, provider);
      },
    },
  );
  const environment = inActivity({}, test.interceptors('ws_acme'));
  const run = <Result>(activity: () => Promise<Result>) => environment.run(activity) as Promise<Result>;
  return { run, requests, environment, providers: test };
}

afterEach(() => void vi.unstubAllEnvs());

describe('a model', () => {
  test.each([
    ['anthropic', { model: 'claude-sonnet-5-5' }, 'https://api.anthropic.com/v1/messages', 'x-api-key'],
    ['openai', { model: 'gpt-5-mini' }, 'https://api.openai.com/v1/responses', 'authorization'],
    [
      'gemini',
      { model: 'gemini-2.5-flash' },
      'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions',
      'authorization',
    ],
    [
      'groq',
      { model: 'llama-4', baseURL: 'https://api.groq.com/openai/v1' },
      'https://api.groq.com/openai/v1/chat/completions',
      'authorization',
    ],
    [
      'own-gateway',
      { model: 'claude-sonnet-5-5', baseURL: 'https://models.example.com/v1', protocol: 'anthropic' },
      'https://models.example.com/v1/messages',
      'x-api-key',
    ],
  ])('of %s is called at its own address, whatever the environment says [G17]', async (name, config, url, header) => {
    vi.stubEnv('ANTHROPIC_API_KEY', 'the-platform-s-own');
    vi.stubEnv('ANTHROPIC_AUTH_TOKEN', 'the-platform-s-own');
    vi.stubEnv('ANTHROPIC_BASE_URL', 'https://elsewhere.example.com');
    vi.stubEnv('OPENAI_API_KEY', 'the-platform-s-own');
    vi.stubEnv('OPENAI_BASE_URL', 'https://elsewhere.example.com');
    vi.stubEnv('OPENAI_ORGANIZATION', 'the-platform-s-own');
    vi.stubEnv('LANGSMITH_GATEWAY', 'true');
    vi.stubEnv('LANGSMITH_API_KEY', 'the-platform-s-own');
    const { run, requests } = activityWith({ [`llm/${name}`]: { ...KEYS, ...config } }, () =>
      Response.json({}, { status: 400 }),
    );
    await expect(run(() => workspaceChatModel({ type: 'llm', name }).invoke('Hi'))).rejects.toMatchObject({
      type: 'ProviderRequestInvalid',
    });
    expect(requests.map((request) => request.url)).toEqual([url]);
    const sent = [...(requests[0]?.headers ?? [])];
    expect(sent.find(([each]) => each === header)?.[1]).toContain(KEY);
    expect(JSON.stringify(sent)).not.toContain('the-platform-s-own');
  });

  test('passes its parameters on', async () => {
    const { run, requests } = activityWith({ 'llm/groq': { ...KEYS, baseURL: 'https://api.groq.com/openai/v1' } }, () =>
      Response.json(completion),
    );
    const options = { model: 'llama-4', temperature: 0.5, maxTokens: 7, parameters: { topP: 0.25 } };
    await run(() => workspaceChatModel({ type: 'llm', name: 'groq' }, options).invoke('Hi'));
    expect(await requests[0]?.json()).toMatchObject({ model: 'llama-4', temperature: 0.5, max_tokens: 7, top_p: 0.25 });
  });

  test('holds no key, neither itself nor in what callbacks are told [G4]', async () => {
    const told: unknown[] = [];
    const watcher = BaseCallbackHandler.fromMethods({
      handleChatModelStart: (...all) => void told.push(all),
      handleLLMEnd: (...all) => void told.push(all),
      handleLLMError: (...all) => void told.push(all),
    });
    const { run } = activityWith({ 'llm/openai': { ...KEYS, protocol: 'chat-completions' } }, () =>
      Response.json(completion),
    );
    const model = workspaceChatModel('openai/gpt-5-mini');
    await run(() => model.invoke(`Hi, ${KEY.length}`, { callbacks: [watcher] }));
    const all = (value: unknown) => inspect(value, { depth: 12, showHidden: true });
    const kept = [all(model), JSON.stringify(model), JSON.stringify(model.toJSON()), all(told)].join('\n');
    expect(kept).toContain(`Hi, ${KEY.length}`);
    expect(kept).not.toContain(KEY);
  });

  test('reads a refused key again, once', async () => {
    const chat = { protocol: 'chat-completions' };
    const refused = () => Response.json({ error: { code: 'invalid_api_key' } }, { status: 401 });
    const { run, providers, requests } = activityWith({ 'llm/openai': { ...KEYS, ...chat } }, (request) => {
      if (!request.headers.get('authorization')?.includes(KEY)) return Response.json(completion);
      providers.configure('ws_acme', 'llm/openai', { apiKey: 'the-next-key-for-tests', ...chat });
      return refused();
    });
    expect(await run(async () => (await workspaceChatModel('gpt-5-mini').invoke('Hi')).text)).toBe('Hello.');
    expect(requests).toHaveLength(2);
  });

  test('reports a prompt that is too long as a request that must change', async () => {
    const { run } = activityWith({ 'llm/openai': { ...KEYS, protocol: 'chat-completions' } }, () =>
      Response.json(
        { error: { code: 'context_length_exceeded', message: "This model's maximum context length is 8192 tokens." } },
        { status: 400 },
      ),
    );
    await expect(run(() => workspaceChatModel('openai/gpt-5-mini').invoke('Hi'))).rejects.toMatchObject({
      type: 'ProviderRequestInvalid',
      nonRetryable: true,
    });
  });

  test('fails outside of an activity', async () => {
    await expect(workspaceChatModel('openai/gpt-5-mini').invoke('Hi')).rejects.toThrow(/inside an activity/);
    await expect(workspaceEmbeddings('openai/text').embedQuery('Hi')).rejects.toThrow(/inside an activity/);
  });

  test('has structured output by calls of functions only', () => {
    const model = workspaceChatModel('openai/gpt-5-mini');
    expect(() => model.withStructuredOutput(z.object({}), { method: 'jsonMode' })).toThrow(
      'does not support the method jsonMode: leave it out, or pass functionCalling',
    );
  });
});

test('a stream fails if the activity is cancelled, and does not end as if it were complete', async () => {
  const event = (content: string) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }] })}\n\n`;
  let goOn = () => {};
  const { run, environment } = activityWith({ 'llm/openai': { ...KEYS, protocol: 'chat-completions' } }, () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(event('Hel')));
        goOn = () => {
          controller.enqueue(new TextEncoder().encode(event('lo.')));
          controller.close();
        };
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  });
  const read = async () => {
    for await (const _ of await workspaceChatModel('openai/gpt-5-mini').stream('Hi')) {
      (environment as MockActivityEnvironment).cancel();
      goOn();
    }
  };
  await expect(run(read)).rejects.toMatchObject({ name: expect.stringMatching(/Cancel/) });
});
