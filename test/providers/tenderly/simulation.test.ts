import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFetch, type HttpClient } from '../../../src/egress/http-client.js';
import { simulate } from '../../../src/providers/tenderly/simulation.js';
import type { SimulationRequest } from '../../../src/providers/tenderly/simulation-request.js';
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
  const { credential, service: own } = parseProvider('tenderly', 'default', config, { accessKey: KEY });
  const context = { fetch: own.adaptFetch(http.fetch), signal: new AbortController().signal };
  const result = await simulate(credential, asked, context).catch((error: unknown) => error);
  return { service, result };
}

const slot = (value: number) => `0x${String(value).padStart(64, '0')}`;

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
      simulation_type: 'full',
    });
  });

  it('has each field as the API documents it, whatever form the input has', async () => {
    const { service } = await simulateAt(
      { status: 200, body: answer },
      {
        ...{ networkId: '10', block: '0xff', transactionIndex: 3, simulationType: 'abi', save: true },
        transaction: {
          ...{ from, input: '0x6001', value: 7, gas: '0x5208', gasPrice: '0x3b9aca00' },
          accessList: [{ address: to, storageKeys: [slot(1)] }],
          stateOverrides: { [to]: { balance: '0x10', nonce: '2', code: '0x00', storage: { [slot(1)]: slot(2) } } },
        },
        blockOverrides: { number: 256, timestamp: '1700000000', gasLimit: '0x10', baseFeePerGas: 0, miner: from },
      },
    );
    expect(JSON.parse(service.requests[0]?.body ?? '')).toEqual({
      ...{ network_id: '10', block_number: 255, transaction_index: 3 },
      ...{ from, input: '0x6001', value: '7', gas: 21_000, gas_price: '1000000000' },
      access_list: [{ address: to, storage_keys: [slot(1)] }],
      state_objects: { [to]: { balance: '16', nonce: 2, code: '0x00', storage: { [slot(1)]: slot(2) } } },
      block_header: { number: '0x100', timestamp: '0x6553f100', gasLimit: '0x10', baseFeePerGas: '0x0', miner: from },
      ...{ simulation_type: 'abi', save: true, save_if_fails: true },
    });
  });

  it.each<[NonNullable<SimulationRequest['block']>, number | undefined]>([
    ['latest', undefined],
    ['earliest', 0],
    [0, 0],
    ['18000000', 18_000_000],
  ])('on the block %s is requested with the number %s', async (block, sent) => {
    const { service } = await simulateAt({ status: 200, body: answer }, { ...request, block });
    expect(JSON.parse(service.requests[0]?.body ?? '').block_number).toBe(sent);
  });

  it.each([
    ['0xde0b6b3a7640000', '1000000000000000000'],
    ['1000000000000000000', '1000000000000000000'],
    [42, '42'],
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
    expect(result).toEqual([{ success: true, gasUsed: 21_000, logs: [], assetChanges: [] }]);
  });

  it('returns the reason of its failure', async () => {
    const transaction = { status: false, gas_used: 30_000, error_message: 'execution reverted' };
    const { result } = await simulateAt({ status: 200, body: { transaction } });
    expect(result).toMatchObject([{ success: false, gasUsed: 30_000, errorMessage: 'execution reverted' }]);
  });

  it('returns its id if it was saved', async () => {
    const { result } = await simulateAt({ status: 200, body: answer }, { ...request, save: true });
    expect(result).toMatchObject([{ simulationId: 'sim-1' }]);
  });

  const withInfo = (info: object, more: object = {}) => ({
    status: 200,
    body: {
      transaction: { status: false, gas_used: 1, error_message: 'execution reverted', ...more, transaction_info: info },
    },
  });
  const REASON = `0x08c379a0${'0'.repeat(62)}20${'0'.repeat(63)}2${'6e6f'.padEnd(64, '0')}`;

  it.each<[string, ServiceReply, object | undefined]>([
    ['the data of Error(string)', withInfo({ call_trace: { output: REASON } }), { reason: 'no', data: REASON }],
    [
      'what Tenderly decoded',
      withInfo({ call_trace: { output: '0xcf479181', error_reason: 'Poor()' } }),
      { reason: 'Poor()', data: '0xcf479181' },
    ],
    [
      'the words of its message',
      withInfo({}, { error_message: 'execution reverted: sold out' }),
      { reason: 'sold out' },
    ],
    ['nothing, if it ran out of gas', withInfo({ call_trace: null }, { error_message: 'out of gas' }), undefined],
  ])('returns why it reverted, from %s', async (_from, reply, revert) => {
    const { result } = await simulateAt(reply);
    expect((result as { revert?: object }[])[0]?.revert).toEqual(revert);
  });

  it('returns logs and asset changes, as far as Tenderly knows them', async () => {
    const raw = { address: to, topics: [slot(1)], data: '0x' };
    const reply = withInfo(
      {
        logs: [
          { raw },
          { name: 'Moved', inputs: [{ soltype: { name: 'amount', type: 'uint256' }, value: '5' }], raw },
          { name: 7, inputs: 'x', raw },
        ],
        asset_changes: [
          {
            type: 'Transfer',
            from,
            to,
            amount: 1.5,
            raw_amount: '1500',
            token_info: { standard: 'ERC20', contract_address: to, symbol: 'X', decimals: 3, logo: '…' },
          },
          { type: 'Mint', token_info: null },
        ],
      },
      { status: true, error_message: null, block_number: 17 },
    );
    const { result } = await simulateAt(reply);
    expect(result).toEqual([
      {
        ...{ success: true, gasUsed: 1, blockNumber: 17 },
        logs: [raw, { ...raw, name: 'Moved', inputs: [{ name: 'amount', type: 'uint256', value: '5' }] }, raw],
        assetChanges: [
          {
            type: 'Transfer',
            from,
            to,
            amount: '1.5',
            rawAmount: '1500',
            token: { standard: 'ERC20', address: to, symbol: 'X', decimals: 3 },
          },
          { type: 'Mint', token: {} },
        ],
      },
    ]);
  });

  it('of a bundle is requested as such, and returns a result per transaction', async () => {
    const bundle: SimulationRequest = {
      networkId: '1',
      block: 5,
      transactions: [
        { from, to },
        { from, to, value: 1 },
      ],
    };
    const { service, result } = await simulateAt(
      { status: 200, body: { simulation_results: [answer, answer] } },
      bundle,
    );
    expect(service.requests[0]?.path).toBe('/api/v1/account/acme/project/agents/simulate-bundle');
    const { simulations } = JSON.parse(service.requests[0]?.body ?? '') as { simulations: object[] };
    expect(simulations).toMatchObject([
      { value: '0', block_number: 5 },
      { value: '1', block_number: 5 },
    ]);
    expect(result).toMatchObject([{ success: true }, { success: true }]);
  });

  it('of a bundle ends at the first transaction that fails, and not without one', async () => {
    const failed = { transaction: { status: false, gas_used: 1 } };
    const bundle: SimulationRequest = {
      networkId: '1',
      transactions: [
        { from, to },
        { from, to },
        { from, to },
      ],
    };
    const ended = await simulateAt({ status: 200, body: { simulation_results: [answer, failed] } }, bundle);
    expect(ended.result).toMatchObject([{ success: true }, { success: false }]);
    for (const simulation_results of [[answer], [], null]) {
      const { result } = await simulateAt({ status: 200, body: { simulation_results } }, bundle);
      expectOutcome(toProviderError(result, tenderly), 'ProviderUnavailable', tenderly);
    }
  });

  it.each<[string, number, unknown, Parameters<typeof expectOutcome>[1]]>([
    [
      'a transaction that the chain does not take',
      400,
      { error: { slug: 'invalid_transaction_simulation' } },
      'ProviderRequestInvalid',
    ],
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
