import { describe, expect, it } from 'vitest';
import { createFetch } from '../../../src/egress/http-client.js';
import { retryAfterMs } from '../../../src/providers/answers/retry-after.js';
import { serviceAnswerError } from '../../../src/providers/answers/service-answer.js';
import { LOOPBACK_POLICY } from '../../../testbed/loopback.js';
import { toProviderError } from '../../support/built-in-types.js';
import { aiSdk, anthropicSdk, type Caller, openaiSdk, viem } from '../callers.js';
import { startService } from '../local-service.js';

const NOW = Date.parse('Tue, 15 Nov 1994 08:12:31 GMT');

function waitOf(headers: Record<string, string>, body?: unknown): number | undefined {
  return retryAfterMs({ status: 429, body, text: '', header: (name) => headers[name] }, NOW);
}

describe('the wait that a service asks for', () => {
  it.each<[string, Record<string, string>, number | undefined]>([
    ['seconds', { 'retry-after': '7' }, 7000],
    ['part of a second', { 'retry-after': '0.25' }, 250],
    ['a date', { 'retry-after': 'Tue, 15 Nov 1994 08:12:41 GMT' }, 10_000],
    ['a duration', { 'retry-after': '1m2.5s' }, 62_500],
    ['a fraction of a millisecond, which is rounded up', { 'retry-after-ms': '0.2' }, 1],
    ['milliseconds, before seconds', { 'retry-after-ms': '1500', 'retry-after': '9' }, 1500],
    ['seconds, if the milliseconds are zero', { 'retry-after-ms': '0', 'retry-after': '30' }, 30_000],
    ['a day, the longest', { 'retry-after': '86400' }, 86_400_000],
  ])('is read from %s', (_how, headers, wait) => {
    expect(waitOf(headers)).toBe(wait);
  });

  it.each<[string, Record<string, string>]>([
    ['no header', {}],
    ['an empty header', { 'retry-after': '' }],
    ['words', { 'retry-after': 'soon' }],
    ['zero', { 'retry-after': '0' }],
    ['zero in another spelling', { 'retry-after': ' 0.000 ' }],
    ['zero milliseconds', { 'retry-after-ms': '0' }],
    ['zero as a duration', { 'retry-after': '0s' }],
    ['a date that has passed', { 'retry-after': 'Tue, 15 Nov 1994 08:12:21 GMT' }],
    ['this very second', { 'retry-after': 'Tue, 15 Nov 1994 08:12:31 GMT' }],
    ['the year 1970', { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }],
    ['a date without a year', { 'retry-after': 'Nov 15' }],
    ['a negative number', { 'retry-after': '-1' }],
    ['negative milliseconds', { 'retry-after-ms': '-500' }],
    ['not a number', { 'retry-after': 'NaN' }],
    ['infinity', { 'retry-after': 'Infinity' }],
    ['a number in scientific notation', { 'retry-after-ms': '1e12' }],
    ['more than a day', { 'retry-after': '86401' }],
    ['milliseconds of many years', { 'retry-after-ms': '1000000000000' }],
    ['a date in the year 2099', { 'retry-after': 'Tue, 15 Nov 2099 08:12:31 GMT' }],
  ])('is left to the retry policy, and never 0, for %s', (_how, headers) => {
    expect(waitOf(headers)).toBeUndefined();
  });

  it.each<[string, unknown, number | undefined]>([
    ['OpenAI', { error: { message: 'Rate limit reached for gpt-5. Please try again in 1.2s. Visit …' } }, 1_200],
    ['OpenAI, for a moment', { error: { message: 'Please try again in 20ms.' } }, 20],
    ['Groq', { error: { message: 'Limit 100000, Used 99000. Please try again in 7m26.4s.' } }, 446_400],
    ['Azure', { error: { code: '429', message: 'Please retry after 26 seconds.' } }, 26_000],
    ['Infura', { error: { code: -32005, data: { rate: { backoff_seconds: 30 } } } }, 30_000],
    ['Alchemy, in words', { error: { code: 429, message: 'exceeded its capacity, retry in 3 sec' } }, 3_000],
    ['a gateway', { error: { message: 'slow down', retry_after: 2.5 } }, 2_500],
    ['words without a time', { error: { message: 'Please try again later.' } }, undefined],
    ['words with no wait', { error: { message: 'Please try again in 0s.' } }, undefined],
    ['words with a number that is not a time', { error: { message: 'try again in 3 different ways' } }, undefined],
    ['a wait of weeks', { error: { message: 'Please try again in 720h.' } }, undefined],
    ['zero of Google', { error: { details: [{ retryDelay: '0s' }] } }, undefined],
  ])('is read from the body of %s', (_service, body, wait) => {
    expect(waitOf({}, body)).toBe(wait);
  });

  it('is read from the body of Google', () => {
    const details = [
      null,
      { reason: 'RATE_LIMIT_EXCEEDED' },
      { '@type': 'google.rpc.RetryInfo', retryDelay: '34.074s' },
    ];
    expect(waitOf({}, { error: { code: 429, details } })).toBe(34_074);
    expect(waitOf({}, { error: { details: [{ retryDelay: 'soon' }] } })).toBeUndefined();
  });

  it.each<[string, string, string, Caller]>([
    ['the AI SDK', 'llm', 'anthropic', aiSdk('anthropic')],
    ["Anthropic's SDK", 'llm', 'anthropic', anthropicSdk],
    ["OpenAI's SDK", 'llm', 'openai', openaiSdk],
    ['viem', 'rpc', 'mainnet', viem],
  ])('is in the error through %s', async (_through, type, name, caller) => {
    const http = createFetch({ egress: LOOPBACK_POLICY });
    const service = await startService({
      status: 429,
      headers: { 'retry-after': '3' },
      body: { error: { message: 'x' } },
    });
    const thrown = await caller({ url: service.url, fetch: http.fetch }).catch((error: unknown) => error);
    expect(toProviderError(thrown, { workspaceId: 'ws', type, name })).toMatchObject({
      type: 'ProviderRateLimited',
      facts: { retryAfterMs: 3000 },
    });
    await http.close();
  });

  it('is in the error through fetch', () => {
    const response = new Response('', { status: 503, headers: { 'Retry-After': '3' } });
    const provider = { workspaceId: 'ws', type: 'tenderly', name: 'default' };
    const error = toProviderError(serviceAnswerError(response, ''), provider);
    expect(error).toMatchObject({ type: 'ProviderUnavailable', facts: { retryAfterMs: 3000 } });
  });
});
