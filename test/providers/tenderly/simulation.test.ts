import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFetch, type HttpClient } from '../../../src/egress/http-client.js';
import { type SimulationRequest, simulate } from '../../../src/providers/tenderly/simulation.js';
import { LOOPBACK_POLICY } from '../../../testbed/loopback.js';
import { parseProvider, toProviderError } from '../../support/built-in-types.js';
import { expectOutcome, tenderly } from '../answers/outcomes.js';
import { KEY } from '../callers.js';
import { type ServiceReply, startService } from '../local-service.js';

let http: HttpClient;
beforeAll(() => {
  http = createFetch({ egress: LOOPBACK_POLICY });
});
afterAll(() => http.close());

const from = '0x00000000000000000000000000000000000000A1';
const to = '0x00000000000000000000000000000000000000b2';
const request: SimulationRequest = { networkId: '1', transaction: { from, to } };

async function simulateAt(reply: ServiceReply, asked: SimulationRequest = request) {
  const service = await startService(reply);
  const config = { account: 'acme', project: 'agents', baseURL: service.url };
  const { credential } = parseProvider('tenderly', 'default', config, { accessKey: KEY });
  const context = { fetch: http.fetch, signal: new AbortController().signal };
  const result = await simulate(credential, asked, context).catch((error: unknown) => error);
  return { service, result };
}

const answer = { transaction: { status: true, gas_used: 21_000 }, simulation: { id: 'sim-1', status: true } };

describe('a simulation', () => {
  it('is requested in the project of the credential, with its key', async () => {
    const { service } = await simulateAt({ status: 200, body: answer });
    expect(service.requests[0]).toMatchObject({
      method: 'POST',
      path: '/api/v1/account/acme/project/agents/simulate',
      headers: { 'x-access-key': KEY, 'content-type': 'application/json' },
    });
    expect(JSON.parse(service.requests[0]?.body ?? '')).toEqual({
      network_id: '1',
      from,
      to,
      input: '0x',
      value: '0',
      save: false,
      save_if_fails: false,
      simulation_type: 'quick',
    });
  });

  it.each([
    ['0xde0b6b3a7640000', '1000000000000000000'],
    ['1000000000000000000', '1000000000000000000'],
  ])('of %s wei sends them as decimal', async (value, sent) => {
    const transaction = { from, to, value, input: '0xa9059cbb', gas: 50_000 };
    const { service } = await simulateAt({ status: 200, body: answer }, { networkId: '1', transaction });
    expect(JSON.parse(service.requests[0]?.body ?? '')).toMatchObject({
      value: sent,
      input: '0xa9059cbb',
      gas: 50_000,
    });
  });

  it('returns its success', async () => {
    const { result } = await simulateAt({ status: 200, body: answer });
    expect(result).toEqual({ success: true, gasUsed: 21_000 });
  });

  it('returns the reason of its failure', async () => {
    const transaction = { status: false, gas_used: 30_000, error_message: 'execution reverted' };
    const { result } = await simulateAt({ status: 200, body: { transaction } });
    expect(result).toEqual({ success: false, gasUsed: 30_000, errorMessage: 'execution reverted' });
  });

  it('returns its id if it was saved', async () => {
    const { result } = await simulateAt({ status: 200, body: answer }, { ...request, save: true });
    expect(result).toMatchObject({ simulationId: 'sim-1' });
  });

  it.each<[string, number, unknown, Parameters<typeof expectOutcome>[1]]>([
    ['an invalid key', 401, { error: { slug: 'unauthorized', message: KEY } }, 'CredentialRejected'],
    ['an unknown project', 404, { error: { slug: 'not_found', message: KEY } }, 'ProviderRequestInvalid'],
    ['a rate limit', 429, KEY, 'ProviderRateLimited'],
    ['a gateway error', 502, `<html>${KEY}`, 'ProviderUnavailable'],
    ['an HTML page', 200, `<html>${KEY}`, 'ProviderUnavailable'],
    ['an answer without a result', 200, { transaction: null }, 'ProviderUnavailable'],
  ])('fails with a provider error for %s', async (_what, status, body, type) => {
    const { result } = await simulateAt({ status, body });
    expect(JSON.stringify(result)).not.toContain(KEY);
    expectOutcome(toProviderError(result, tenderly), type, tenderly);
  });
});
