/** The stand-ins for Tenderly and an RPC provider answer from a real chain, only to keys of the right workspace. */
import { createPublicClient, createTestClient, http, parseEther } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AnvilPart, startAnvil } from '../../../testbed/anvil.js';
import { type RpcGateway, startRpcGateway } from '../../../testbed/standins/rpc-gateway.js';
import { startTenderlyStandIn, type TenderlyStandIn } from '../../../testbed/standins/tenderly.js';

const RICH = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const OTHER = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const POOR = '0x0000000000000000000000000000000000009999';
/** A contract that reverts every call. */
const REVERTS = '0x0000000000000000000000000000000000001234';
/** A contract that logs one topic (32) and returns 32 bytes that contain a one. */
const LOGS = '0x0000000000000000000000000000000000001236';

let anvil: AnvilPart;
beforeAll(async () => {
  anvil = await startAnvil();
  const chain = createTestClient({ mode: 'anvil', transport: http(anvil.url) });
  await chain.setCode({ address: REVERTS, bytecode: '0x60006000fd' });
  await chain.setCode({ address: LOGS, bytecode: '0x60016000526001602060206000a160206000f3' });
});
afterAll(() => anvil.stop());

describe('Tenderly', () => {
  let standIn: TenderlyStandIn;
  beforeEach(async () => {
    standIn = await startTenderlyStandIn({
      accounts: [
        { account: 'acme', project: 'main', accessKey: 'canary-tenderly-of-acme', owner: 'ws_acme' },
        { account: 'beta', project: 'main', accessKey: 'canary-tenderly-of-beta', owner: 'ws_beta' },
      ],
      rpcUrl: anvil.url,
    });
    return () => standIn.stop();
  });

  async function call(path: string, body?: object, accessKey = 'canary-tenderly-of-acme') {
    const response = await fetch(`${standIn.url}/api/v1/account/${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { 'x-access-key': accessKey, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, Record<string, unknown>> };
  }
  const simulate = (transaction: object, accessKey?: string) =>
    call('acme/project/main/simulate', { network_id: '31337', from: RICH, input: '0x', ...transaction }, accessKey);

  test('a transfer succeeds with the gas that the chain estimates', async () => {
    const { status, body } = await simulate({ to: OTHER, value: parseEther('1').toString(), save: true });
    const chain = createPublicClient({ transport: http(anvil.url) });
    const gas = await chain.estimateGas({ account: RICH, to: OTHER, value: parseEther('1') });
    expect(status).toBe(200);
    expect(body.transaction).toMatchObject({ status: true, gas_used: Number(gas), network_id: '31337', from: RICH });
    expect(body.simulation).toMatchObject({ status: true, id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(await chain.getBalance({ address: POOR })).toBe(0n);
  });

  test("a contract's logs and output come from the chain", async () => {
    const { body } = await simulate({ to: LOGS });
    expect(body.transaction?.transaction_info).toMatchObject({
      call_trace: { call_type: 'CALL', to: LOGS, output: `0x${'1'.padStart(64, '0')}` },
      logs: [{ raw: { address: LOGS, topics: [`0x${'20'.padStart(64, '0')}`] } }],
    });
  });

  test('a revert is a simulation with status false, and a transaction that cannot be executed is a 400', async () => {
    const reverted = await simulate({ to: REVERTS });
    expect(reverted.status).toBe(200);
    expect(reverted.body.transaction).toMatchObject({ status: false, error_message: 'execution reverted' });
    expect(reverted.body.simulation).toMatchObject({ status: false });

    const unpaid = await simulate({ from: POOR, to: OTHER, value: '1' });
    expect(unpaid.status).toBe(400);
    expect(unpaid.body.error).toMatchObject({ slug: 'invalid_transaction_simulation', id: expect.any(String) });
  });

  test('an invalid body and another network are refused', async () => {
    expect((await simulate({ to: 'not an address' })).body.error).toMatchObject({ slug: 'bad_request' });
    expect((await simulate({ to: OTHER, network_id: '1' })).status).toBe(400);
  });

  test.each<[string, object]>([
    ['gas as a text', { gas: '21000' }],
    ['a value as a number', { value: 1 }],
    ['a value in hex', { value: '0x1' }],
    ['a block in hex', { block_number: '0x1' }],
    ['a block by a tag', { block_number: 'latest' }],
    ['a balance in hex', { state_objects: { [POOR]: { balance: '0x1' } } }],
    ['a time that is not in hex', { block_header: { timestamp: '1700000000' } }],
    ['an access list as nodes have it', { access_list: [{ address: OTHER, storageKeys: [] }] }],
  ])('a form that is not documented is refused: %s', async (_form, fields) => {
    expect((await simulate({ to: OTHER, ...fields })).body.error).toMatchObject({ slug: 'bad_request' });
  });

  test('an unknown field is ignored: a call whose data is in `data` is an empty one', async () => {
    expect((await simulate({ to: OTHER, data: '0x01' })).body.transaction).toMatchObject({
      status: true,
      gas_used: 21_000,
    });
  });

  test('a bundle has a result per transaction, up to the first that fails', async () => {
    const transaction = { network_id: '31337', from: RICH, input: '0x' };
    const simulations = [OTHER, LOGS, REVERTS, OTHER].map((to) => ({ ...transaction, to }));
    const { status, body } = await call('acme/project/main/simulate-bundle', { simulations });
    expect(status).toBe(200);
    const results = body.simulation_results as unknown as { transaction: { status: boolean } }[];
    expect(results.map(({ transaction: { status: succeeds } }) => succeeds)).toEqual([true, true, false]);
    const after = await call('acme/project/main/simulate-bundle', {
      simulations: [
        { ...transaction, to: POOR, value: '5' },
        { ...transaction, from: POOR, to: OTHER, value: '5' },
      ],
    });
    expect(after.body.simulation_results).toMatchObject([
      { transaction: { status: true } },
      { transaction: { status: true } },
    ]);
  });

  test('the projects of the account are listed', async () => {
    const { body } = await call('acme/projects');
    expect(body.projects).toMatchObject([{ slug: 'main' }]);
  });

  test("an unknown key is refused, and another workspace's key sees nothing; both are counted as wrong", async () => {
    const unknown = await simulate({ to: OTHER }, 'canary-unknown');
    expect(unknown).toMatchObject({ status: 401, body: { error: { id: expect.any(String), slug: 'unauthorized' } } });
    const others = await simulate({ to: OTHER }, 'canary-tenderly-of-beta');
    expect(others.status).toBe(404);
    expect(standIn.wrongKeyCalls()).toMatchObject([
      { owner: 'unknown-key', expectedOwner: 'ws_acme' },
      { owner: 'ws_beta', expectedOwner: 'ws_acme' },
    ]);
  });

  test('a new key works after it is admitted, and the old one is refused after it is revoked', async () => {
    standIn.admit({ account: 'acme', project: 'main', accessKey: 'canary-tenderly-of-acme-2', owner: 'ws_acme' });
    standIn.revoke('canary-tenderly-of-acme');
    expect((await call('acme/projects', undefined, 'canary-tenderly-of-acme-2')).status).toBe(200);
    expect((await call('acme/projects')).status).toBe(401);
    expect(standIn.wrongKeyCalls()).toEqual([]);
  });
});

describe('an RPC provider', () => {
  let gateway: RpcGateway;
  beforeEach(async () => {
    gateway = await startRpcGateway({
      keys: [
        { key: 'canary-rpc-of-acme', owner: 'ws_acme' },
        { key: 'canary-rpc-of-beta', owner: 'ws_beta' },
      ],
      nodeUrl: anvil.url,
      ownerOfRequest: (body) => (body.includes(RICH) ? 'ws_acme' : undefined),
    });
    return () => gateway.stop();
  });
  const chain = (key: string) => createPublicClient({ transport: http(`${gateway.url}/v2/${key}`, { retryCount: 0 }) });

  test('a workspace reads the chain, and its key is in no recorded call', async () => {
    const node = createPublicClient({ transport: http(anvil.url) });
    const balance = await chain('canary-rpc-of-acme').getBalance({ address: RICH });
    expect(balance).toBe(await node.getBalance({ address: RICH }));
    expect(gateway.calls()).toMatchObject([{ provider: 'rpc', owner: 'ws_acme', status: 200 }]);
    expect(gateway.calls()[0]?.path).toMatch(/\/…$/);
    expect(gateway.wrongKeyCalls()).toEqual([]);
  });

  test("an unknown key is refused, and a call with another workspace's key is counted", async () => {
    await expect(chain('canary-unknown').getChainId()).rejects.toThrow('Must be authenticated!');
    await chain('canary-rpc-of-beta').getBalance({ address: RICH });
    expect(gateway.calls()[0]).toMatchObject({ owner: 'unknown-key', status: 401 });
    expect(JSON.stringify(gateway.calls())).not.toContain('canary');
    expect(gateway.wrongKeyCalls()).toMatchObject([{ owner: 'ws_beta', expectedOwner: 'ws_acme' }]);
  });
});
