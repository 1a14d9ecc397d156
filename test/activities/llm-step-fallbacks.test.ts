/** Fail-over within one step: which failures go to the next provider, and what the result says. */
import { describe, expect, test } from 'vitest';
import type { ProviderReference } from '../../src/protocol/references.js';
import type { ServiceReply } from '../providers/local-service.js';
import { chat, useModels } from './model-services.js';

const models = useModels();
const error = (status: number, fields: object = {}, headers = {}): ServiceReply => ({
  ...{ status, headers, body: { error: { message: 'x', ...fields } } },
});
const fine = (text = 'hello') => ({ status: 200, body: chat({ content: text }) });

describe('the next provider is asked', () => {
  test.each<[string, ServiceReply, string]>([
    ['is away', error(503), 'ProviderUnavailable'],
    ['sends a success that holds no answer', { status: 200, body: {} }, 'ProviderUnavailable'],
    ['breaks off', { ...fine(), isCut: true }, 'ProviderUnavailable'],
    ['limits the rate', error(429, { code: 'rate_limit_exceeded' }, { 'retry-after': '60' }), 'ProviderRateLimited'],
    ['is overloaded', error(529), 'ProviderRateLimited'],
    ['is out of credit', error(402), 'ProviderQuotaExhausted'],
    ['is out of credit, in a code', error(429, { code: 'insufficient_quota' }), 'ProviderQuotaExhausted'],
    ['refuses its key', error(401, { code: 'invalid_api_key' }), 'CredentialRejected'],
  ])('if one %s', async (_title, answer, failure) => {
    const step = await models.start(
      [
        { name: 'first', answer },
        { name: 'second', config: { model: 'b-model' }, answer: fine() },
      ],
      { model: { first: 'x' } },
    );
    expect(await step.run).toMatchObject({
      text: 'hello',
      model: 'b-model',
      provider: { name: 'second', version: 1 },
      skipped: [{ name: 'first', failure }],
    });
  });

  test('if one was deleted meanwhile', async () => {
    const second = { ...REF, name: 'second' };
    const step = await models.start([{ name: 'second', answer: fine() }], {
      ref: { ...REF, name: 'gone' },
      fallbacks: [second],
    });
    expect(await step.run).toMatchObject({ skipped: [{ name: 'gone', failure: 'ProviderNotConfigured' }] });
  });

  test('and the one after it', async () => {
    const step = await models.start(
      [
        { name: 'first', answer: error(500) },
        { name: 'second', answer: error(402) },
        { name: 'third', answer: fine('third time') },
      ],
      {},
    );
    expect(await step.run).toMatchObject({
      text: 'third time',
      skipped: [
        { name: 'first', failure: 'ProviderUnavailable' },
        { name: 'second', failure: 'ProviderQuotaExhausted' },
      ],
    });
  });
});

describe('the next provider is not asked', () => {
  test.each<[string, ServiceReply, object, string]>([
    ['the content is refused', error(400, { code: 'content_policy_violation' }), {}, 'ProviderRequestInvalid'],
    ['the request is refused', error(400), {}, 'ProviderRequestInvalid'],
    ['the model is unknown', error(404, { code: 'model_not_found' }), {}, 'ProviderRequestInvalid'],
    ['the answer is a refusal', { status: 200, body: chat({ refusal: 'No.' }) }, {}, 'AnswerUnusable'],
    [
      'the answer does not fit',
      fine('{}'),
      { schema: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] } },
      'AnswerUnusable',
    ],
    ['a file cannot be sent', fine(), { messages: [fileByHttp()] }, 'ProviderConfigInvalid'],
  ])('if %s', async (_title, answer, input, type) => {
    const step = await models.start(
      [
        { name: 'first', answer },
        { name: 'second', answer: fine() },
      ],
      input,
    );
    await expect(step.run).rejects.toMatchObject({ type, nonRetryable: true });
    expect(step.requests('second')).toEqual([]);
  });

  test('if the first one answers: then the result has no `skipped`', async () => {
    const step = await models.start(
      [
        { name: 'first', answer: fine() },
        { name: 'second', answer: fine() },
      ],
      {},
    );
    const result = await step.run;
    expect(result).toMatchObject({ provider: { name: 'first' } });
    expect(result).not.toHaveProperty('skipped');
    expect(step.requests('second')).toEqual([]);
  });
});

test('if all fail, the step fails with what may pass, so that Temporal retries it', async () => {
  const step = await models.start(
    [
      { name: 'first', answer: error(402) },
      { name: 'second', answer: error(429, { code: 'rate_limit_exceeded' }, { 'retry-after': '7' }) },
      { name: 'third', answer: error(401) },
    ],
    {},
  );
  await expect(step.run).rejects.toMatchObject({
    type: 'ProviderRateLimited',
    nonRetryable: false,
    nextRetryDelay: 7_000,
    details: [{ provider: { name: 'second' } }],
  });
});

const REF: Omit<ProviderReference<'llm'>, 'name'> = {
  ...{ workspaceId: 'ws_acme', type: 'llm', version: 1, source: 'workspace', cache: 'hit', shown: {} },
};

function fileByHttp() {
  const data = 'http://169.254.169.254/latest';
  return { role: 'user', content: [{ type: 'file', mediaType: 'image/png', data }] };
}
