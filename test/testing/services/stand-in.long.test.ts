/** A stand-in records whose key each call used, and fails on request. */
import { inspect } from 'node:util';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Question } from '../../../src/testing/services/model-service.js';
import {
  anthropicSpendLimit,
  echoesKey,
  htmlPage,
  openAiInsufficientQuota,
  redirectTo,
} from '../../../testbed/standins/failures.js';
import { type LlmStandIn, startLlmStandIn } from '../../../testbed/standins/llm.js';

const ACME_KEY = 'canary-anthropic-of-acme';
const BETA_KEY = 'canary-anthropic-of-beta';

let questions: Question[];
let standIn: LlmStandIn;
beforeEach(async () => {
  questions = [];
  standIn = await startLlmStandIn({
    keys: [
      { provider: 'anthropic', key: ACME_KEY, owner: 'ws_acme' },
      { provider: 'anthropic', key: BETA_KEY, owner: 'ws_beta' },
      { provider: 'openai', key: 'canary-openai-of-acme', owner: 'ws_acme' },
    ],
    answer: (question) => {
      questions.push(question);
      return 'an answer';
    },
    ownerOfPrompt: (prompt) => /\[(\w+)\]/.exec(prompt)?.[1],
  });
});
afterEach(() => standIn.stop());

function ask(apiKey: string, content: string, signal?: AbortSignal) {
  const client = new Anthropic({ apiKey, baseURL: standIn.baseUrls.anthropic.sdk, maxRetries: 0 });
  const messages = [{ role: 'user' as const, content }];
  return client.messages.create({ model: 'claude-sonnet-5-5', max_tokens: 10, messages }, { signal });
}

function askOpenAi() {
  const { sdk } = standIn.baseUrls.openai;
  const client = new OpenAI({ apiKey: 'canary-openai-of-acme', baseURL: sdk, maxRetries: 0 });
  return client.responses.create({ model: 'gpt-5-mini', input: 'question' });
}

describe('a stand-in', () => {
  test("accepts a call with its own workspace's key, and counts one with another's", async () => {
    await ask(ACME_KEY, 'for [ws_acme]');
    expect(standIn.wrongKeyCalls()).toEqual([]);

    await ask(BETA_KEY, 'for [ws_acme]');
    expect(standIn.wrongKeyCalls()).toMatchObject([{ owner: 'ws_beta', expectedOwner: 'ws_acme', status: 200 }]);
    expect(questions.map(({ owner }) => owner)).toEqual(['ws_acme', 'ws_beta']);
  });

  test('counts a call with an unknown key too, but not a prompt without a mark', async () => {
    await ask('canary-unknown', 'for [ws_acme]').catch(() => {});
    await ask(BETA_KEY, 'for whom?');
    expect(standIn.wrongKeyCalls()).toMatchObject([{ owner: 'unknown-key', status: 401 }]);
    expect(standIn.calls()[1]?.expectedOwner).toBeUndefined();
  });

  test('refuses a revoked key but still records its owner, and accepts an admitted key at once', async () => {
    standIn.revoke(ACME_KEY);
    await expect(ask(ACME_KEY, 'for [ws_acme]')).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
    standIn.admit({ provider: 'anthropic', key: 'canary-anthropic-of-acme-2', owner: 'ws_acme' });
    await ask('canary-anthropic-of-acme-2', 'for [ws_acme]');
    expect(standIn.calls().map(({ owner, status }) => [owner, status])).toEqual([
      ['ws_acme', 401],
      ['ws_acme', 200],
    ]);
    expect(standIn.wrongKeyCalls()).toEqual([]);
  });

  test('lists the calls with one of the keys of an owner', async () => {
    standIn.admit({ provider: 'anthropic', key: 'canary-anthropic-of-acme-2', owner: 'ws_acme' });
    await ask(ACME_KEY, 'first');
    await ask('canary-anthropic-of-acme-2', 'second').then(() => ask('canary-anthropic-of-acme-2', 'third'));
    expect(standIn.callsWith(ACME_KEY)).toEqual(standIn.calls().slice(0, 1));
    expect(standIn.callsWith('canary-anthropic-of-acme-2')).toEqual(standIn.calls().slice(1));
  });

  test('records time, service and path, and no key in any form', async () => {
    await ask(ACME_KEY, 'question');
    await fetch(`${standIn.baseUrls.gemini.aiSdk}/models?key=${ACME_KEY}`);
    const [call, inQuery] = standIn.calls();
    expect(call).toMatchObject({ provider: 'anthropic', method: 'POST', path: '/v1/messages', status: 200 });
    expect(Math.abs(Date.now() - Date.parse(call?.at ?? ''))).toBeLessThan(60_000);
    expect(inQuery).toMatchObject({ path: '/v1beta/models', owner: 'no-key' });
    expect(inspect([standIn.calls(), standIn], { depth: 9, showHidden: true })).not.toContain(ACME_KEY);
  });
});

describe('failNext', () => {
  test("sends the service's own error body once if only a status is given", async () => {
    standIn.failNext({ status: 529 });
    await expect(ask(ACME_KEY, 'question')).rejects.toMatchObject({ status: 529, type: 'overloaded_error' });
    await expect(ask(ACME_KEY, 'question')).resolves.toBeDefined();
    expect(standIn.calls().map(({ status }) => status)).toEqual([529, 200]);
  });

  test('sends headers to as many calls as asked, and only to calls that match', async () => {
    standIn.failNext({
      provider: 'anthropic',
      owner: 'ws_acme',
      status: 429,
      headers: { 'retry-after': '7' },
      times: 2,
    });
    await ask(BETA_KEY, 'question');
    await askOpenAi();
    for (let time = 0; time < 2; time++) {
      const error = await ask(ACME_KEY, 'question').catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Anthropic.RateLimitError);
      expect((error as InstanceType<typeof Anthropic.RateLimitError>).headers?.get('retry-after')).toBe('7');
    }
    await ask(ACME_KEY, 'question');
  });

  test('fails calls until it is taken back', async () => {
    const takeBack = standIn.failNext({ status: 500, times: Number.POSITIVE_INFINITY });
    for (let time = 0; time < 3; time++) await expect(ask(ACME_KEY, 'question')).rejects.toMatchObject({ status: 500 });
    takeBack();
    await ask(ACME_KEY, 'question');
  });

  test('distinguishes a spend limit and a quota from a rate limit, as documented', async () => {
    standIn.failNext(anthropicSpendLimit);
    standIn.failNext(openAiInsufficientQuota);
    await expect(ask(ACME_KEY, 'question')).rejects.toMatchObject({ errorCode: 'enforced_spend_limit_reached' });
    await expect(askOpenAi()).rejects.toMatchObject({ status: 429, code: 'insufficient_quota' });
  });

  test('sends hostile answers: the key echoed, an HTML page, a redirect, a cut connection', async () => {
    standIn.failNext(echoesKey(400));
    await expect(ask(ACME_KEY, 'question')).rejects.toThrow(ACME_KEY);
    standIn.failNext(htmlPage(502));
    await expect(ask(ACME_KEY, 'question')).rejects.toThrow('502');
    standIn.failNext(redirectTo(`${standIn.url}/elsewhere`));
    const redirected = await fetch(`${standIn.baseUrls.openai.aiSdk}/models`, { redirect: 'manual' });
    expect([redirected.status, redirected.headers.get('location')]).toEqual([307, `${standIn.url}/elsewhere`]);
    standIn.failNext({ status: 'cut' });
    await expect(ask(ACME_KEY, 'question')).rejects.toBeInstanceOf(Anthropic.APIConnectionError);
    expect(standIn.calls().at(-1)?.status).toBeUndefined();
  });
});

describe('holdNext', () => {
  test('holds a call until it is released, while others pass', async () => {
    const hold = standIn.holdNext({ bodyIncludes: 'the slow one' });
    const slow = ask(ACME_KEY, 'the slow one');
    expect(await hold.arrived).toMatchObject({ owner: 'ws_acme', path: '/v1/messages' });
    await ask(BETA_KEY, 'a quick one');
    expect(standIn.calls().map(({ status }) => status)).toEqual([undefined, 200]);

    hold.release();
    await slow;
    expect(standIn.calls()[0]?.status).toBe(200);
  });

  test('does not answer a caller that dies while it is held, and does not hold its next attempt', async () => {
    const hold = standIn.holdNext();
    const worker = new AbortController();
    const first = ask(ACME_KEY, 'question', worker.signal);
    await hold.arrived;
    worker.abort();
    await expect(first).rejects.toBeInstanceOf(Anthropic.APIUserAbortError);
    await ask(ACME_KEY, 'question');
    expect(standIn.calls().map(({ status }) => status)).toEqual([undefined, 200]);
  });

  test('answers a held call even if its key is revoked meanwhile', async () => {
    const hold = standIn.holdNext();
    const held = ask(ACME_KEY, 'question');
    await hold.arrived;
    standIn.revoke(ACME_KEY);
    hold.release();
    await held;
    await expect(ask(ACME_KEY, 'question')).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
  });

  test('holds no call if it is released before one arrives', async () => {
    standIn.holdNext().release();
    await ask(ACME_KEY, 'question');
  });
});

test('stop ends held calls and may be called twice', async () => {
  const hold = standIn.holdNext();
  const held = ask(ACME_KEY, 'question').catch((error: unknown) => error);
  await hold.arrived;
  await standIn.stop();
  await standIn.stop();
  expect(await held).toBeInstanceOf(Anthropic.APIConnectionError);
});
