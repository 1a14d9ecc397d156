/** Models of the AI SDK in activities: the key of the workspace, streams that hold it open, typed failures. */
import { embed, generateText, Output, stepCountIs, streamText, tool } from 'ai';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { workspaceModels } from '../../src/ai-sdk.js';
import { UNFENCED, useAgentStage } from '../support/agent-stage.js';
import { workspaceWith } from './workspace-activities.js';

const stage = useAgentStage({
  answer: ({ owner, wantsJson }) => (wantsJson ? '{"city":"Oslo"}' : `for ${owner}, at length`),
});
const once = { maxRetries: 0 } as const;

const model = (id = 'openai/gpt-5-mini') => workspaceModels().languageModel(id);

async function textOf(parts: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const part of parts) text += part;
  return text;
}

describe('generateText', () => {
  test.each([
    ['openai/gpt-5-mini', 'openai'],
    ['gpt-5-mini', 'openai'],
    ['anthropic/claude-sonnet-5-5', 'anthropic'],
    ['gemini/gemini-2.5-flash', 'gemini'],
    ['anthropic/claude-sonnet-5-5, gemini/gemini-2.5-flash', 'gemini'],
  ] as const)('asks %s with the key of the workspace (%s)', async (id, service) => {
    const { workspaceId, run } = await workspaceWith(stage, service);
    expect(await run(async () => (await generateText({ model: model(id), prompt: 'Hi', ...once })).text)).toBe(
      `for ${workspaceId}, at length`,
    );
  });

  test('calls tools, and makes objects', async () => {
    const { workspaceId, run } = await workspaceWith(stage, 'openai');
    const cities: string[] = [];
    const weather = tool({
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => `sunny in ${cities[cities.push(city) - 1]}`,
    });
    const tools = { weather };
    const ask = () => generateText({ model: model(), prompt: 'Hi', tools, stopWhen: stepCountIs(3), ...once });
    expect(await run(async () => (await ask()).text)).toBe(`for ${workspaceId}, at length`);
    expect(cities).toEqual(['sample']);
    const output = Output.object({ schema: z.object({ city: z.string() }) });
    expect(
      await run(async () => (await generateText({ model: model(), prompt: 'Hi', output, ...once })).output),
    ).toEqual({
      city: 'Oslo',
    });
  });

  test('fails with the types of this package', async () => {
    const { workspaceId, run } = await workspaceWith(stage, 'openai');
    const ask = (id: string) => run(() => generateText({ model: model(id), prompt: 'Hi', ...once }));
    await expect(ask('anthropic/claude-sonnet-5-5')).rejects.toMatchObject({ type: 'ProviderNotConfigured' });
    stage.llm.failNext({ status: 503, owner: workspaceId });
    await expect(ask('gpt-5-mini')).rejects.toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false });
  });

  test('reads a refused key again, once', async () => {
    const { workspaceId, keys, run } = await workspaceWith(stage, 'openai');
    const ask = () => run(async () => (await generateText({ model: model(), prompt: 'Hi', ...once })).text);
    await ask();
    const secret = { apiKey: stage.admittedKey(workspaceId, 'openai') };
    const identity = { workspaceId, type: 'llm', name: 'openai' };
    const [config] = [{ baseURL: stage.llm.baseUrls.openai.sdk, model: 'gpt-5-mini' }];
    await stage.manager.configureProvider({ ...identity, config, secret }, UNFENCED);
    for (const key of keys) stage.llm.revoke(key);
    expect(await ask()).toBe(`for ${workspaceId}, at length`);
  });

  test('downloads nothing that a prompt names by URL', async () => {
    const { run } = await workspaceWith(stage, 'openai');
    const download = vi.spyOn(globalThis, 'fetch');
    const image = new URL('http://files.example.com/picture.png');
    const content = [{ type: 'image' as const, image }];
    const file = { type: 'file' as const, data: new URL('http://files.example.com/a.bin'), mediaType: 'text/csv' };
    const ask = (parts: object[]) =>
      generateText({ model: model(), messages: [{ role: 'user', content: parts as typeof content }], ...once });
    await run(() => ask(content));
    await run(() => ask([file])).catch(() => {});
    expect(download).not.toHaveBeenCalled();
    download.mockRestore();
  });
});

test('embed makes a vector with the key of the workspace', async () => {
  const { run } = await workspaceWith(stage, 'openai');
  const embeddings = workspaceModels().embeddingModel('openai/text-embedding-3-small');
  expect(
    await run(async () => (await embed({ model: embeddings as never, value: 'Hi', ...once })).embedding),
  ).toHaveLength(3);
  const none = workspaceModels().embeddingModel('anthropic/none');
  const other = await workspaceWith(stage, 'anthropic');
  await expect(other.run(async () => none.doEmbed({ values: ['Hi'] }))).rejects.toMatchObject({
    type: 'ProviderConfigInvalid',
  });
});

describe('streamText', () => {
  test('is read to its end, and then nothing holds the key', async () => {
    const { workspaceId, run, held } = await workspaceWith(stage, 'openai');
    const text = await run(async () => {
      const { textStream } = streamText({ model: model(), prompt: 'Hi', ...once });
      return textOf(textStream);
    });
    expect(text).toBe(`for ${workspaceId}, at length`);
    expect(held()).toEqual([]);
  });

  test('gives the key back if the reader stops, and if the activity ends with the stream unread', async () => {
    const { run, held } = await workspaceWith(stage, 'openai');
    await run(async () => {
      const { stream } = await model().doStream(CALL);
      await (stream as ReadableStream).cancel();
    });
    await vi.waitFor(() => expect(held()).toEqual([]));
    await run(async () => void (await model().doStream(CALL)));
    await vi.waitFor(() => expect(held()).toEqual([]));
  });

  test('ends with a typed failure if the service ends it with an error, and asks no second time', async () => {
    const { workspaceId, run } = await workspaceWith(stage, 'openai');
    const before = stage.llm.calls().length;
    const error = { type: 'server_error', code: 'server_is_overloaded', message: 'Overloaded.' };
    const events = [
      `data: ${JSON.stringify({ type: 'response.created', sequence_number: 0, response: { id: 'r', object: 'response', created_at: 1, model: 'm', output: [] } })}\n\n`,
      `data: ${JSON.stringify({ type: 'error', sequence_number: 1, error, param: null })}\n\n`,
    ];
    stage.llm.failNext({ status: 200, body: { events }, owner: workspaceId });
    const read = async () => {
      const { stream } = await model().doStream(CALL);
      for await (const _ of stream as ReadableStream);
    };
    await expect(run(read)).rejects.toMatchObject({ type: 'ProviderRateLimited', nonRetryable: false });
    expect(stage.llm.calls().length - before).toBe(1);
  });
});

const CALL = { prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }] };
