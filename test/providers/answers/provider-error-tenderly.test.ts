/** What Tenderly's API answers, over HTTP through `simulate`. Its page does not list all slugs, so words count too. */
import { describe, it } from 'vitest';
import type { FailureType } from '../../../src/protocol/failure-types.js';
import { simulate } from '../../../src/providers/tenderly/simulation.js';
import { parseProvider, toProviderError } from '../../support/built-in-types.js';
import { type Caller, KEY } from '../callers.js';
import { expectOutcome, impatientClient, tenderly, thrownBy } from './outcomes.js';

const http = impatientClient();

const simulating: Caller = ({ url, fetch, signal = new AbortController().signal }) => {
  const config = { account: 'acme', project: 'agents', baseURL: url };
  const { credential } = parseProvider('tenderly', 'default', config, { accessKey: KEY });
  const address = `0x${'1'.repeat(40)}`;
  return simulate(credential, { networkId: '1', transaction: { from: address, to: address } }, { fetch, signal });
};

const failed = (slug: string, message = `no ${KEY}`) => ({ error: { id: 'x', slug, message } });
const done = { transaction: { status: true, gas_used: 21_000 } };

describe('an answer of Tenderly', () => {
  it.each<[string, number, unknown, FailureType]>([
    ['the quota, by its slug', 403, failed('quota_limit_reached'), 'ProviderQuotaExhausted'],
    [
      'the quota, in words',
      403,
      failed('forbidden', 'You have reached the quota limit of your plan.'),
      'ProviderQuotaExhausted',
    ],
    ['the quota, with its status', 402, '', 'ProviderQuotaExhausted'],
    [
      'the quota, as a rate limit',
      429,
      failed('too_many', 'Monthly limit of simulations reached'),
      'ProviderQuotaExhausted',
    ],
    ['a rate limit', 429, failed('rate_limited', 'Too many requests'), 'ProviderRateLimited'],
    ['a refused key', 401, failed('unauthorized'), 'CredentialRejected'],
    ['a refused key without a body', 401, '', 'CredentialRejected'],
    ['a bare 403', 403, failed('forbidden'), 'CredentialRejected'],
    ['a refused key within HTTP 200', 200, failed('unauthorized'), 'CredentialRejected'],
    ['a bad request within HTTP 200', 200, failed('bad_request'), 'ProviderRequestInvalid'],
    ['an error beside a result', 200, { ...done, ...failed('internal_server_error') }, 'ProviderUnavailable'],
    ['an answer without a result', 200, {}, 'ProviderUnavailable'],
    ['an answer of another shape', 200, { transaction: null }, 'ProviderUnavailable'],
    ['a firewall', 503, '<html><title>Just a moment...</title></html>', 'ProviderUnavailable'],
  ])('is understood: %s (HTTP %i)', async (_what, status, body, type) => {
    const thrown = await thrownBy(simulating, { status, body }, { fetch: http.current.fetch });
    expectOutcome(toProviderError(thrown, tenderly), type, tenderly);
  });
});
