/** A step that names its providers: which one answers, and what its result and its failures say. */
import { describe, expect, test } from 'vitest';
import type { LlmStepInput } from '../../src/protocol/llm-step.js';
import type { ServiceReply } from '../providers/local-service.js';
import { WORKSPACE } from '../resolver/resolver-in-memory.js';
import { chat, useModels } from './model-services.js';

const models = useModels();
const error = (status: number): ServiceReply => ({ status, body: { error: { message: 'x' } } });
const fine = (text = 'hello') => ({ status: 200, body: chat({ content: text }) });
const NAMES = ['groq', 'mistral', 'cohere'];

/** Asks the named providers. Each of `answers` has a service; the others are not configured. */
function ask(input: Partial<LlmStepInput>, answers: Readonly<Record<string, ServiceReply>>) {
  const configured = Object.entries(answers).map(([name, answer]) => ({ name, answer }));
  const asked = { ref: undefined, workspaceId: WORKSPACE, fallbacks: undefined, ...input };
  return models.start(configured, asked as Partial<LlmStepInput>);
}

describe('of a list of names, the first provider that the workspace has is asked', () => {
  test.each([
    [['groq', 'mistral', 'cohere'], 'groq'],
    [['mistral', 'cohere'], 'mistral'],
    [['cohere'], 'cohere'],
  ])('of %j it is %s', async (configured, name) => {
    const answers = Object.fromEntries(configured.map((each) => [each, fine(`${each} here`)]));
    const step = await ask({ provider: NAMES }, answers);
    const result = await step.run;
    expect(result).toMatchObject({ text: `${name} here`, provider: { name, version: 1, source: 'workspace' } });
    expect(result).not.toHaveProperty('skipped');
    expect(JSON.stringify(result), 'what a resolve would show').not.toContain('…');
  });

  test('also if it fails: only `fallbacks` are asked after a failure', async () => {
    const step = await ask({ provider: NAMES }, { groq: error(402), mistral: fine() });
    await expect(step.run).rejects.toMatchObject({
      ...{ type: 'ProviderQuotaExhausted', nonRetryable: true },
      details: [{ provider: { workspaceId: WORKSPACE, type: 'llm', name: 'groq' } }],
    });
    expect(step.requests('mistral')).toEqual([]);
  });

  test('with the model that the step gives for it', async () => {
    const model = { groq: 'a', mistral: 'b' };
    expect(await (await ask({ provider: NAMES, model }, { mistral: fine() })).run).toMatchObject({ model: 'b' });
  });
});

describe('a fallback by name', () => {
  test('answers if the provider before it fails, and each that failed is listed by its name', async () => {
    const input = { provider: ['none', 'groq'], fallbacks: ['mistral', 'missing', 'cohere'] };
    const step = await ask(input, { groq: error(503), mistral: error(401), cohere: fine('at last') });
    expect(await step.run).toMatchObject({
      ...{ text: 'at last', provider: { name: 'cohere' } },
      skipped: [
        { name: 'groq', failure: 'ProviderUnavailable' },
        { name: 'mistral', failure: 'CredentialRejected' },
        { name: 'missing', failure: 'ProviderNotConfigured' },
      ],
    });
  });

  test('answers if the workspace has none of the providers before it', async () => {
    const step = await ask({ provider: ['groq', 'mistral'], fallbacks: ['cohere'] }, { cohere: fine() });
    expect(await step.run).toMatchObject({ skipped: [{ name: 'groq', failure: 'ProviderNotConfigured' }] });
  });

  test('is not read before it is its turn: it may be behind, and the first one answers', async () => {
    const input = { provider: 'groq', fallbacks: ['mistral'], atLeast: { mistral: 9 } };
    expect(await (await ask(input, { groq: fine(), mistral: fine() })).run).toMatchObject({ text: 'hello' });
  });
});

describe('without a provider that may answer', () => {
  test('the step fails as a resolve does: with none configured', async () => {
    await expect((await ask({ provider: NAMES }, { other: fine() })).run).rejects.toMatchObject({
      ...{ type: 'ProviderNotConfigured', nonRetryable: true },
      message: expect.stringContaining('has no llm/groq or llm/mistral or llm/cohere'),
    });
  });

  test('the step fails as a resolve does: with one disabled', async () => {
    models.memory.store.write(WORKSPACE, 'llm', 'mistral', { status: 'disabled' });
    const step = await ask({ provider: NAMES }, { other: fine() });
    await expect(step.run).rejects.toMatchObject({ type: 'ProviderDisabled', nonRetryable: true });
  });

  test('the step is tried again if the database has an older version than the workflow has seen', async () => {
    const step = await ask({ provider: NAMES, atLeast: { groq: 2 } }, { groq: fine(), mistral: fine() });
    await expect(step.run).rejects.toMatchObject({ type: 'StoreUnavailable', nonRetryable: false });
    expect([...step.requests('groq'), ...step.requests('mistral')]).toEqual([]);
  });
});
