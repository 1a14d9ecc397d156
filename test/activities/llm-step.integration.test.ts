/** One call to a model, over the real HTTP client and a stand-in for each service, without a Temporal server. */
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { WorkspaceProviders } from '../../src/index.js';
import type { LlmRequest, LlmStepResult } from '../../src/protocol/llm-step.js';
import type { ProviderReference } from '../../src/protocol/references.js';
import type { Question } from '../../src/testing/services/model-service.js';
import type { LlmProvider } from '../../src/testing/services/wire-format.js';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { inActivity } from './in-activity.js';

const SERVICES = [
  ['anthropic', 'anthropic'],
  ['openai', 'openai'],
  ['gemini', 'gemini'],
  ['openai-compatible', 'local-model'],
] as const satisfies readonly (readonly [LlmProvider, string])[];

const SCHEMA = {
  type: 'object',
  properties: { verdict: { type: 'string' }, certainty: { type: 'number' } },
  required: ['verdict', 'certainty'],
  additionalProperties: false,
};

const stage = useAgentStage({ answer: (question) => says(question) });
let providers: WorkspaceProviders;
let workspaceId: string;
/** Makes the model's answers to the next questions. */
let says: (question: Question) => string;

beforeAll(async () => {
  providers = await stage.connect();
});

beforeEach(() => {
  workspaceId = newWorkspace();
  says = ({ model, prompt }) => `${model} was asked: ${prompt}`;
});

afterEach(() => {
  vi.unstubAllEnvs();
});

async function ask(name: string, input: LlmRequest = {}): Promise<LlmStepResult> {
  const ref = await providers.resolver.resolveLlmKey({ workspaceId: workspaceId, provider: name });
  return (await inActivity().run(providers.activities.llmStep, { ref, ...input })) as LlmStepResult;
}

describe.each(SERVICES)('%s', (service, name) => {
  test.each([
    ['in one piece', false],
    ['as a stream', true],
  ])('answers with text, the token counts, the model and the provider: %s', async (_how, stream) => {
    await stage.addLlm(workspaceId, service, { config: { model: 'a-claude-model' } });
    const text = 'a-claude-model was asked: Be brief.\nHello.';
    expect(await ask(name, { system: 'Be brief.', prompt: 'Hello.', maxOutputTokens: 100, stream })).toEqual({
      text,
      message: { role: 'assistant', content: [expect.objectContaining({ type: 'text', text })] },
      model: 'a-claude-model',
      // Gemini's package of the AI SDK 6 does not read it from a stream.
      answeringModel: service === 'gemini' && stream ? undefined : 'a-claude-model',
      requestId: expect.any(String),
      finishReason: 'stop',
      // The stand-in counts four characters per token, for input and output.
      usage: expect.objectContaining({ inputTokens: 4, outputTokens: 11, totalTokens: 15 }),
      // The number of the change may arrive after the resolution: then the step reads the workspace once more.
      provider: { name, version: 1, source: 'workspace', cache: expect.stringMatching(/^(hit|miss)$/) },
    });
  });

  test('answers with an object that matches the schema', async () => {
    await stage.addLlm(workspaceId, service);
    says = ({ wantsJson, schema }) => {
      expect([wantsJson, schema]).toEqual([true, expect.objectContaining({ properties: expect.anything() })]);
      return '{"verdict":"fine","certainty":0.5}';
    };
    const { object } = await ask(name, { prompt: 'Judge.', schema: SCHEMA });
    expect(object).toEqual({ verdict: 'fine', certainty: 0.5 });
  });

  test.each([
    ['in one piece', false],
    ['as a stream', true],
  ])('calls a tool, and goes on with its result: %s', async (_how, stream) => {
    await stage.addLlm(workspaceId, service);
    const inputSchema = { type: 'object', properties: { of: { type: 'string' } }, required: ['of'] };
    const tools = [{ name: 'rate', description: 'A rate.', inputSchema }];
    const asked = { role: 'user', content: 'How much?' } as const;
    const { message, toolCalls = [], finishReason } = await ask(name, { messages: [asked], tools, stream });
    const [call] = toolCalls;
    expect([finishReason, call]).toMatchObject([expect.stringMatching(/^(tool-calls|stop)$/), { toolName: 'rate' }]);
    const output = { type: 'json', value: { rate: 1.25 } } as const;
    const result = { type: 'tool-result', toolCallId: call?.toolCallId ?? '', toolName: 'rate', output } as const;
    const messages = [asked, message, { role: 'tool', content: [result] }] as const;
    expect((await ask(name, { messages, tools, stream })).text).toMatch(/was asked: How much\?/);
  });

  test('gets the whole conversation in its order', async () => {
    await stage.addLlm(workspaceId, service);
    const messages = [
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'two' },
    ] as const;
    expect((await ask(name, { messages, prompt: 'three' })).text).toMatch(/was asked: one\ntwo\nthree$/);
  });

  test("is called with the workspace's key, and never with a key from the worker's environment", async () => {
    await stage.addLlm(workspaceId, service);
    for (const variable of ['ANTHROPIC', 'OPENAI', 'GEMINI', 'GOOGLE_GENERATIVE_AI', 'LOCAL_MODEL']) {
      vi.stubEnv(`${variable}_API_KEY`, 'canary-platform-key');
      vi.stubEnv(`${variable}_BASE_URL`, 'http://127.0.0.1:9');
    }
    vi.stubEnv('ANTHROPIC_AUTH_TOKEN', 'canary-platform-token');
    await ask(name, { prompt: `Hello, ${workspaceId}.` });
    expect(stage.llm.calls().at(-1)).toMatchObject({ owner: workspaceId, expectedOwner: workspaceId, status: 200 });
    const other = newWorkspace();
    await expect(
      inActivity().run(providers.activities.resolveLlmKey, { workspaceId: other, provider: name }),
    ).rejects.toMatchObject({ type: 'ProviderNotConfigured' });
  });
});

describe('the model', () => {
  beforeEach(() => Promise.all([stage.addLlm(workspaceId, 'openai'), stage.addLlm(workspaceId, 'gemini')]));

  test('is the one that the step names', async () => {
    expect((await ask('openai', { prompt: 'Hello.', model: 'gpt-of-the-step' })).model).toBe('gpt-of-the-step');
  });

  test('is the one for the provider that was resolved', async () => {
    const model = { openai: 'gpt-for-openai', gemini: 'gemini-for-gemini' };
    expect((await ask('gemini', { prompt: 'Hello.', model })).text).toBe('gemini-for-gemini was asked: Hello.');
  });

  test("is the provider's default if the step names no model for that provider", async () => {
    expect((await ask('openai', { prompt: 'Hello.', model: { gemini: 'gemini-for-gemini' } })).model).toBe(
      'gpt-5-mini',
    );
  });
});

describe('a step is refused before anything is sent', () => {
  const sent = () => stage.llm.calls().length;

  test('without a model', async () => {
    await stage.addLlm(workspaceId, 'openai', { config: { model: undefined } });
    const before = sent();
    await expect(ask('openai', { prompt: 'Hello.', model: { gemini: 'another' } })).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      nonRetryable: true,
      details: [{ fields: ['model'] }],
    });
    expect(sent()).toBe(before);
  });

  test('without a prompt', async () => {
    await stage.addLlm(workspaceId);
    const before = sent();
    await expect(ask('anthropic')).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      message: expect.stringContaining('prompt must be given, or `messages`'),
      details: [{ fields: ['prompt'] }],
    });
    expect(sent()).toBe(before);
  });

  test('with a reference to a provider of another type', async () => {
    const ref = {
      workspaceId,
      type: 'tenderly',
      name: 'default',
      version: 1,
      source: 'workspace',
      cache: 'hit',
      shown: {},
    };
    const step = { ref: ref as unknown as ProviderReference<'llm'>, prompt: 'Hello.' };
    await expect(inActivity().run(providers.activities.llmStep, step)).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      details: [{ fields: ['ref.type'] }],
    });
  });

  test('with an invalid schema', async () => {
    await stage.addLlm(workspaceId);
    const before = sent();
    await expect(ask('anthropic', { prompt: 'Judge.', schema: { type: 'no such type' } })).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      details: [{ fields: ['schema'] }],
    });
    expect(sent()).toBe(before);
  });
});

test.each([
  ['no JSON', (key: string) => `no JSON, but ${key}`],
  ['an object that does not fit', (key: string) => JSON.stringify({ verdict: key })],
])(
  "a failure never contains the model's answer, even if the answer does not match the schema: %s",
  async (_, answer) => {
    const apiKey = await stage.addLlm(workspaceId, 'openai');
    says = () => answer(apiKey);
    const failure: unknown = await ask('openai', { prompt: 'Judge.', schema: SCHEMA }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ type: 'AnswerUnusable', nonRetryable: true });
    expect(String((failure as Error).stack)).not.toContain(apiKey);
  },
);
