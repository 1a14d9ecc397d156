/** Errors without a usable answer, and errors that are not errors of a service. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ProviderError } from '../../../src/protocol/errors.js';
import type { FailureType } from '../../../src/protocol/failure-types.js';
import type { ProviderIdentity } from '../../../src/protocol/references.js';
import { serviceAnswerError } from '../../../src/providers/answers/service-answer.js';
import { toProviderError } from '../../support/built-in-types.js';
import { aiSdk, anthropicSdk, type Caller, googleSdk, KEY, openaiSdk, plainFetch, viem, viemCall } from '../callers.js';
import { closedOrigin, startService } from '../local-service.js';
import { expectOutcome, impatientClient, LONGEST_ANSWER_BYTES, llm, rpc, tenderly, thrownBy } from './outcomes.js';

const http = impatientClient();

describe('a call', () => {
  const callers: [string, Caller, ProviderIdentity][] = [
    ['the AI SDK', aiSdk('anthropic'), llm('anthropic')],
    ["Anthropic's SDK", anthropicSdk, llm('anthropic')],
    ["OpenAI's SDK", openaiSdk, llm('openai')],
    ["Google's SDK", googleSdk, llm('gemini')],
    ['viem', viem, rpc],
    ['viem, two layers deep', viemCall, rpc],
    ['fetch', plainFetch, tenderly],
  ];

  describe.each(callers)('through %s', (_through, caller, provider) => {
    it('fails with ProviderUnavailable if no server listens', async () => {
      const thrown = await caller({ url: await closedOrigin(), fetch: http.current.fetch }).catch(
        (error: unknown) => error,
      );
      const outcome = toProviderError(thrown, provider);
      expectOutcome(outcome, 'ProviderUnavailable', provider);
      expect(outcome?.message).toContain('cannot be reached');
    });

    it('fails with ProviderUnavailable if the answer does not come in time', async () => {
      const outcome = toProviderError(await thrownBy(caller, () => undefined, { fetch: http.current.fetch }), provider);
      expectOutcome(outcome, 'ProviderUnavailable', provider);
      expect(outcome?.message).toContain('did not answer in time');
    });

    it('fails with ProviderUnavailable if the connection breaks within the answer', async () => {
      const answer = { status: 200, body: { half: 'a body that never ends' }, isCut: true };
      const thrown = await thrownBy(caller, answer, { fetch: http.current.fetch });
      const outcome = toProviderError(thrown, provider);
      expectOutcome(outcome, 'ProviderUnavailable', provider);
      expect(outcome?.message).toContain('cannot be reached');
    });

    it('fails with ProviderConfigInvalid for a redirect, which is not followed', async () => {
      const elsewhere = await startService({ status: 200, body: {} });
      const headers = { location: `${elsewhere.url}/${KEY}` };
      const outcome = toProviderError(
        await thrownBy(caller, { status: 307, headers }, { fetch: http.current.fetch }),
        provider,
      );
      expectOutcome(outcome, 'ProviderConfigInvalid', provider);
      expect(elsewhere.requests).toEqual([]);
    });

    it('fails with ResultTooLarge, which is not retryable, if the answer is longer than the client accepts', async () => {
      const answer = { status: 200, body: { padding: KEY.padEnd(LONGEST_ANSWER_BYTES, 'x') } };
      const outcome = toProviderError(await thrownBy(caller, answer, { fetch: http.current.fetch }), provider);
      expectOutcome(outcome, 'ResultTooLarge', provider);
      expect(outcome?.retryable).toBe(false);
    });

    it('does not fail with an error of the service if the caller aborts it', async () => {
      const gaveUp = new AbortController();
      const thrown = await thrownBy(
        caller,
        () => {
          gaveUp.abort();
          return undefined;
        },
        { fetch: http.current.fetch, signal: gaveUp.signal },
      );
      expect(toProviderError(thrown, provider)).toBeUndefined();
    });
  });

  it('fails with the service error that is inside the retry error of the AI SDK', async () => {
    const answer = {
      status: 503,
      headers: { 'retry-after-ms': '1' },
      body: { type: 'error', error: { type: 'api_error', message: KEY } },
    };
    const thrown = await thrownBy(aiSdk('anthropic'), answer, { fetch: http.current.fetch, maxRetries: 1 });
    expect(thrown).toHaveProperty('lastError');
    expectOutcome(toProviderError(thrown, llm('anthropic')), 'ProviderUnavailable', llm('anthropic'));
  });
});

describe('an error that is not of a service', () => {
  it.each<[string, unknown]>([
    ['a bug', new TypeError("Cannot read properties of undefined (reading 'x')")],
    ['a string', 'no'],
    ['undefined', undefined],
    ['null', null],
    ['a plain object with a status', { status: 401 }],
    ['an error with a status of another kind', Object.assign(new Error('x'), { status: 'rejected' })],
    ['an error that is its own cause', Object.assign(new Error('x'), { cause: undefined })],
  ])('is not mapped: %s', (_what, thrown) => {
    expect(toProviderError(thrown, rpc)).toBeUndefined();
  });

  it('is not mapped if its causes form a cycle', () => {
    const error = new Error('a');
    error.cause = new Error('b', { cause: error });
    expect(toProviderError(error, rpc)).toBeUndefined();
  });
});

describe('a ProviderError', () => {
  it('is returned unchanged', () => {
    const error = new ProviderError('StoreUnavailable', 'Postgres is away');
    expect(toProviderError(error, rpc)).toBe(error);
  });

  it('without a provider gets the provider', () => {
    const error = new ProviderError('ProviderConfigInvalid', 'wrong chain', { fields: ['config.chainId'] });
    const named = toProviderError(error, { ...rpc, secretExtra: KEY } as ProviderIdentity);
    expectOutcome(named, 'ProviderConfigInvalid', rpc);
    expect(named?.message).toBe('rpc/mainnet of ws_acme: wrong chain');
    expect(named?.facts.fields).toEqual(['config.chainId']);
  });
});

describe('a response of plain fetch', () => {
  it.each<[number, unknown, FailureType]>([
    [401, { error: { id: 'x', slug: 'unauthorized', message: KEY } }, 'CredentialRejected'],
    [403, { error: { id: 'x', slug: 'forbidden', message: KEY } }, 'CredentialRejected'],
    [400, { error: { id: 'x', slug: 'bad_request', message: KEY } }, 'ProviderRequestInvalid'],
    [404, { error: { id: 'x', slug: 'not_found', message: KEY } }, 'ProviderRequestInvalid'],
    [429, KEY, 'ProviderRateLimited'],
    [500, KEY, 'ProviderUnavailable'],
  ])('is mapped by its status and body: %i', (status, body, type) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const error = serviceAnswerError(new Response(text, { status }), text);
    expect(inspect(error, { depth: 9, showHidden: true, getters: true }) + JSON.stringify(error)).not.toContain(KEY);
    expectOutcome(toProviderError(error, tenderly), type, tenderly);
  });
});
