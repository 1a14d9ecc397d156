import { describe, expect, it } from 'vitest';
import { createFetch } from '../../../src/egress/http-client.js';
import { toProviderError, toProviderErrorFromResponse } from '../../../src/providers/answers/provider-error.js';
import { retryAfterMs } from '../../../src/providers/answers/retry-after.js';
import { LOOPBACK_POLICY } from '../../../testbed/loopback.js';
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
    ['a date that has passed', { 'retry-after': 'Tue, 15 Nov 1994 08:12:21 GMT' }, 0],
    ['milliseconds, before seconds', { 'retry-after-ms': '1500', 'retry-after': '9' }, 1500],
    ['no header', {}, undefined],
    ['an empty header', { 'retry-after': '' }, undefined],
    ['words', { 'retry-after': 'soon' }, undefined],
    ['a negative number', { 'retry-after': '-1' }, undefined],
    ['not a number', { 'retry-after': 'NaN' }, undefined],
    ['infinity', { 'retry-after': 'Infinity' }, undefined],
    ['more than a day', { 'retry-after': '86401' }, undefined],
  ])('is read from %s', (_how, headers, wait) => {
    expect(waitOf(headers)).toBe(wait);
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
    const error = toProviderErrorFromResponse(response, '', { workspaceId: 'ws', type: 'tenderly', name: 'default' });
    expect(error).toMatchObject({ type: 'ProviderUnavailable', facts: { retryAfterMs: 3000 } });
  });
});
