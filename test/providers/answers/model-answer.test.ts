/** What passes unread: streams, and answers of calls that are not to a language model. */
import { embed, streamText } from 'ai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFetch, type HttpClient } from '../../../src/egress/http-client.js';
import { modelAnswers } from '../../../src/providers/answers/model-answer.js';
import { aiSdkModel, aiSdkProvider } from '../../../src/providers/llm/ai-sdk-model.js';
import type { LlmCredential } from '../../../src/providers/llm/llm.js';
import { LOOPBACK_POLICY } from '../../../testbed/loopback.js';
import { parseProvider, toProviderError } from '../../support/built-in-types.js';
import { type ServiceReply, startService } from '../local-service.js';
import { llm } from './outcomes.js';

let http: HttpClient;
beforeAll(() => {
  http = createFetch({ egress: LOOPBACK_POLICY });
});
afterAll(() => http.close());

async function credentialFor(reply: ServiceReply): Promise<LlmCredential> {
  const { url } = await startService(reply);
  return parseProvider('llm', 'gateway', { baseURL: url }, { apiKey: 'canary-key-5e1f0c7d' })
    .credential as LlmCredential;
}

const delta = (content: string) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;
const END = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
const STREAM = `${delta('hel')}${delta('lo')}${END}`;

describe('a stream', () => {
  it.each(['text/event-stream', 'text/plain', 'application/octet-stream'])('passes as %s', async (type) => {
    const credential = await credentialFor({ status: 200, headers: { 'content-type': type }, body: STREAM });
    const { textStream } = streamText({ model: aiSdkModel(credential, 'a-model', http.fetch), prompt: 'hi' });
    let text = '';
    for await (const part of textStream) text += part;
    expect(text).toBe('hello');
  });

  it('that was asked for, and is an error in JSON with HTTP 200, is that error', async () => {
    const credential = await credentialFor({ status: 200, body: { error: { code: 402, message: 'x' } } });
    const errors: unknown[] = [];
    const { textStream } = streamText({
      model: aiSdkModel(credential, 'a-model', http.fetch),
      prompt: 'hi',
      maxRetries: 0,
      onError: ({ error }) => void errors.push(error),
    });
    for await (const _part of textStream);
    expect(toProviderError(errors[0], llm('gateway'))).toMatchObject({ type: 'ProviderQuotaExhausted' });
  });
});

it('embeddings pass, and an error in them does not', async () => {
  const good = await credentialFor({ status: 200, body: { data: [{ index: 0, embedding: [1, 2] }] } });
  const model = (credential: LlmCredential) => aiSdkProvider(credential, http.fetch).embeddingModel?.('an-embedder');
  expect((await embed({ model: model(good) as never, value: 'hi' })).embedding).toEqual([1, 2]);
  const bad = await credentialFor({ status: 200, body: { data: [], error: { code: 429, message: 'x' } } });
  const thrown = await embed({ model: model(bad) as never, value: 'hi', maxRetries: 0 }).catch(
    (error: unknown) => error,
  );
  expect(toProviderError(thrown, llm('gateway'))).toMatchObject({ type: 'ProviderRateLimited' });
});

it("the error is found through the vendor's own SDK, with the same `fetch`", async () => {
  const { apiKey, baseURL } = await credentialFor({ status: 200, body: { choices: [] } });
  const client = new OpenAI({ apiKey, baseURL, fetch: modelAnswers(http.fetch), maxRetries: 0 });
  const messages = [{ role: 'user', content: 'hi' } as const];
  const thrown = await client.chat.completions.create({ model: 'a', messages }).catch((error: unknown) => error);
  expect(toProviderError(thrown, llm('gateway'))).toMatchObject({ type: 'ProviderUnavailable' });
});
