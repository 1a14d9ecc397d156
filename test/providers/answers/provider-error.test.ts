/** What comes when no answer comes, and what is no service's error at all. */
import { describe, expect, it } from 'vitest';
import { ProviderError } from '../../../src/protocol/errors.js';
import type { FailureType } from '../../../src/protocol/failure-types.js';
import type { ProviderIdentity } from '../../../src/protocol/references.js';
import { toProviderError, toProviderErrorFromResponse } from '../../../src/providers/answers/provider-error.js';
import { aiSdk, anthropicSdk, type Caller, googleSdk, KEY, openaiSdk, plainFetch, viem, viemCall } from '../callers.js';
import { closedOrigin, startService } from '../local-service.js';
import { expectOutcome, impatientClient, LONGEST_ANSWER_BYTES, llm, rpc, tenderly, thrownBy } from './outcomes.js';

const http = impatientClient();

describe('no answer', () => {
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
    it('from where nobody listens is unavailable', async () => {
      const thrown = await caller({ url: await closedOrigin(), fetch: http.current.fetch }).catch(
        (error: unknown) => error,
      );
      const outcome = toProviderError(thrown, provider);
      expectOutcome(outcome, 'ProviderUnavailable', provider);
      expect(outcome?.message).toContain('cannot be reached');
    });

    it('in time is unavailable', async () => {
      const outcome = toProviderError(await thrownBy(caller, () => undefined, { fetch: http.current.fetch }), provider);
      expectOutcome(outcome, 'ProviderUnavailable', provider);
      expect(outcome?.message).toContain('did not answer in time');
    });

    it('but half of one is unavailable', async () => {
      const answer = { status: 200, body: { half: 'a body that never ends' }, isCut: true };
      const thrown = await thrownBy(caller, answer, { fetch: http.current.fetch });
      const outcome = toProviderError(thrown, provider);
      expectOutcome(outcome, 'ProviderUnavailable', provider);
      expect(outcome?.message).toContain('cannot be reached');
    });

    it('but a redirect is the config’s fault, and is not followed', async () => {
      const elsewhere = await startService({ status: 200, body: {} });
      const headers = { location: `${elsewhere.url}/${KEY}` };
      const outcome = toProviderError(
        await thrownBy(caller, { status: 307, headers }, { fetch: http.current.fetch }),
        provider,
      );
      expectOutcome(outcome, 'ProviderConfigInvalid', provider);
      expect(elsewhere.requests).toEqual([]);
    });

    it('but one that is longer than the client takes is ResultTooLarge, and not worth a retry', async () => {
      const answer = { status: 200, body: { padding: KEY.padEnd(LONGEST_ANSWER_BYTES, 'x') } };
      const outcome = toProviderError(await thrownBy(caller, answer, { fetch: http.current.fetch }), provider);
      expectOutcome(outcome, 'ResultTooLarge', provider);
      expect(outcome?.retryable).toBe(false);
    });

    it('because the caller gave up is the caller’s own, and no error of the service', async () => {
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

  it('is found within what the AI SDK’s own retries wrap', async () => {
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

describe('what is no error of a service', () => {
  it.each<[string, unknown]>([
    ['a bug', new TypeError("Cannot read properties of undefined (reading 'x')")],
    ['a string', 'no'],
    ['nothing', undefined],
    ['null', null],
    ['a plain object with a status', { status: 401 }],
    ['an error with a status of another kind', Object.assign(new Error('x'), { status: 'rejected' })],
    ['an error that is its own cause', Object.assign(new Error('x'), { cause: undefined })],
  ])('%s stays what it is', (_what, thrown) => {
    expect(toProviderError(thrown, rpc)).toBeUndefined();
  });

  it('ends on causes that go in circles', () => {
    const error = new Error('a');
    error.cause = new Error('b', { cause: error });
    expect(toProviderError(error, rpc)).toBeUndefined();
  });
});

describe('an error of the project’s own', () => {
  it('is passed on as it is', () => {
    const error = new ProviderError('StoreUnavailable', 'Postgres is away');
    expect(toProviderError(error, rpc)).toBe(error);
  });

  it('that could not know its provider is told', () => {
    const error = new ProviderError('ProviderConfigInvalid', 'wrong chain', { fields: ['config.chainId'] });
    const told = toProviderError(error, { ...rpc, secretExtra: KEY } as ProviderIdentity);
    expectOutcome(told, 'ProviderConfigInvalid', rpc);
    expect(told?.message).toBe('rpc/mainnet of ws_acme: wrong chain');
    expect(told?.facts.fields).toEqual(['config.chainId']);
  });
});

describe('plain fetch', () => {
  it.each<[number, unknown, FailureType]>([
    [401, { error: { id: 'x', slug: 'unauthorized', message: KEY } }, 'CredentialRejected'],
    [403, { error: { id: 'x', slug: 'forbidden', message: KEY } }, 'CredentialRejected'],
    [400, { error: { id: 'x', slug: 'bad_request', message: KEY } }, 'ProviderRequestInvalid'],
    [404, { error: { id: 'x', slug: 'not_found', message: KEY } }, 'ProviderRequestInvalid'],
    [429, KEY, 'ProviderRateLimited'],
    [500, KEY, 'ProviderUnavailable'],
  ])('of %i is classified from the response', (status, body, type) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    expectOutcome(toProviderErrorFromResponse(new Response(text, { status }), text, tenderly), type, tenderly);
  });
});
