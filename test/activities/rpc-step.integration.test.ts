/** Reads through a workspace's endpoints of a chain. A real node runs behind a gateway that checks keys. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRpcStep } from '../../src/activities/rpc-step.js';
import type { WorkspaceProviders } from '../../src/index.js';
import type { Json, RpcRead, RpcReference, RpcStepInput, RpcStepResult } from '../../src/workflow.js';
import { FUNDED_ADDRESS, newWorkspace, UNFENCED, useAgentStage } from '../support/agent-stage.js';
import { inActivity } from './in-activity.js';

const BALANCE = '0x21e19e0c9bab2400000';

const stage = useAgentStage({ chain: true });
let providers: WorkspaceProviders;
let workspaceId: string;

beforeAll(async () => {
  // Without notifications, the resolver learns of a change only when a test clears its cache.
  providers = await stage.connect({ listenDatabaseUrl: 'off' });
});

beforeEach(() => {
  workspaceId = newWorkspace();
});

const resolve = (chainId = stage.chain.chainId) =>
  providers.resolver.resolveRpcEndpoint({ workspaceId: workspaceId, chainId: chainId });

async function read(input: Partial<RpcRead> = {}, ref?: RpcReference): Promise<RpcStepResult> {
  const balance = { method: 'eth_getBalance', params: [FUNDED_ADDRESS, 'latest'] } as const;
  const step: RpcStepInput = { ref: ref ?? (await resolve()), ...balance, ...input };
  return (await inActivity().run(providers.activities.rpcStep, step)) as RpcStepResult;
}

/** Adds two endpoints: `main` has priority over `backup`, although `backup` is added first. */
async function twoEndpoints(): Promise<{ main: string; backup: string }> {
  const backup = await stage.addEndpoint(workspaceId, 'backup', { priority: 20 });
  const main = await stage.addEndpoint(workspaceId, 'main', { priority: 10 });
  return { main, backup };
}

/** The names of the workspace's endpoints that were called, one entry per call. */
const called = () =>
  stage.chain.gateway.calls().flatMap(({ owner }) => (owner.startsWith(workspaceId) ? owner.split(' ')[1] : []));

const failing = (name: string, failure: object) =>
  stage.chain.gateway.failNext({ status: 500, ...failure, owner: `${workspaceId} ${name}` });

const error = (code: number, message: string) => ({
  status: 200,
  body: { jsonrpc: '2.0', id: 1, error: { code, message } },
});
const REFUSED = { status: 401 };
const OVER_CAPACITY = {
  status: 429,
  body: { jsonrpc: '2.0', id: 1, error: { code: 429, message: 'Monthly capacity limit exceeded.' } },
};

describe('endpoints', () => {
  test('are called by priority: if the first answers, no other is called', async () => {
    await twoEndpoints();
    expect(await read()).toEqual({
      result: BALANCE,
      provider: { name: 'main', version: 1, source: 'workspace', cache: 'hit' },
      skipped: [],
    });
    // The first call asks for the chain id, the second reads.
    expect(called()).toEqual(['main', 'main']);
    await read();
    expect(called()).toEqual(['main', 'main', 'main']);
  });

  test.each([
    ['is unavailable', { status: 503 }, 'ProviderUnavailable'],
    ['cuts the connection, each time', { status: 'cut', times: 2 }, 'ProviderUnavailable'],
    ['limits its rate', { status: 429 }, 'ProviderRateLimited'],
    ['has no capacity left', OVER_CAPACITY, 'ProviderQuotaExhausted'],
    ['answers without a result', { status: 200, body: { message: 'Unauthorized' } }, 'ProviderUnavailable'],
    ['has a rate limit in another code', error(-32016, 'over rate limit'), 'ProviderRateLimited'],
    ['lacks the method', error(-32601, 'the method does not exist'), 'ProviderRequestInvalid'],
    ['lacks the state', error(-32000, 'state does not maintain archive data'), 'ProviderRequestInvalid'],
  ])('are skipped, and listed as skipped: one that %s', async (_, failure, type) => {
    await twoEndpoints();
    failing('main', failure);
    const { result, provider, skipped } = await read();
    expect([result, provider.name, skipped]).toEqual([BALANCE, 'backup', [{ name: 'main', failure: type }]]);
    expect(called().filter((name) => name === 'backup')).toHaveLength(2);
  });

  test('end the step with what is lacking, if all of them lack it', async () => {
    await twoEndpoints();
    failing('main', error(-32601, 'the method does not exist'));
    failing('backup', error(-32000, 'missing archive state'));
    await expect(read()).rejects.toMatchObject({ type: 'ProviderRequestInvalid', nonRetryable: true });
    expect(called()).toEqual(['main', 'backup']);
  });

  test('are asked once more at once, and not skipped, if they drop the connection before an answer', async () => {
    await twoEndpoints();
    failing('main', { status: 'cut' });
    expect(await read()).toMatchObject({ provider: { name: 'main' }, skipped: [] });
    failing('main', { status: 'cut' });
    expect(await read()).toMatchObject({ provider: { name: 'main' }, skipped: [] });
  });

  test.each([
    ['does not know the key', { status: 401, body: '' }],
    ['does not know the key, in a body of another shape', { status: 401, body: '{}' }],
  ])('are not skipped after the first read if one %s', async (_, failure) => {
    await twoEndpoints();
    await read();
    failing('main', { headers: { 'content-type': 'application/json' }, ...failure });
    await expect(read()).rejects.toMatchObject({ type: 'CredentialRejected' });
    expect(called()).not.toContain('backup');
  });

  test('are skipped if they do not answer, early enough for the next one to be called', async () => {
    await twoEndpoints();
    const hold = stage.chain.gateway.holdNext({ owner: `${workspaceId} main` });
    const rpcStep = createRpcStep(providers.resolver, 2_000);
    const input: RpcStepInput = { ref: await resolve(), method: 'eth_blockNumber' };
    const { provider, skipped } = (await inActivity().run(rpcStep, input)) as RpcStepResult;
    expect([provider.name, skipped]).toEqual(['backup', [{ name: 'main', failure: 'ProviderUnavailable' }]]);
    hold.release();
  });

  test.each([
    [
      'an endpoint that may answer later makes the step retryable',
      OVER_CAPACITY,
      { status: 503 },
      'ProviderUnavailable',
      false,
    ],
    ['its position in the order does not matter', { status: 503 }, OVER_CAPACITY, 'ProviderUnavailable', false],
    ['if none may answer later, the step is not retried', OVER_CAPACITY, OVER_CAPACITY, 'ProviderQuotaExhausted', true],
  ])('fail together: %s', async (_, main, backup, type, nonRetryable) => {
    await twoEndpoints();
    failing('main', main);
    failing('backup', backup);
    await expect(read()).rejects.toMatchObject({ type, nonRetryable });
    expect(called()).toEqual(['main', 'backup']);
  });

  test('are not called if they were disabled after the reference was made', async () => {
    await twoEndpoints();
    const ref = await resolve();
    await stage.manager.disableProvider({ workspaceId, type: 'rpc', name: 'main' }, UNFENCED);
    providers.resolver.parts.cache.clear();
    expect((await read({}, ref)).provider.name).toBe('backup');
    expect(called()).not.toContain('main');
  });

  test('fail the step, without a retry, if none is left', async () => {
    await stage.addEndpoint(workspaceId, 'main');
    const ref = await resolve();
    await stage.manager.removeProvider({ workspaceId, type: 'rpc', name: 'main' }, UNFENCED);
    providers.resolver.parts.cache.clear();
    await expect(read({}, ref)).rejects.toMatchObject({ type: 'ProviderNotConfigured', nonRetryable: true });
  });
});

describe('a refused key', () => {
  test('fails the step instead of being hidden by the next endpoint', async () => {
    const { main } = await twoEndpoints();
    stage.chain.gateway.revoke(main);
    await expect(read()).rejects.toMatchObject({
      type: 'CredentialRejected',
      nonRetryable: true,
      details: [{ provider: { workspaceId, type: 'rpc', name: 'main' } }],
    });
    expect(called()).toEqual(['main']);
  });

  test('is skipped, and listed as skipped, if the caller asks for it', async () => {
    await twoEndpoints();
    failing('main', REFUSED);
    const { provider, skipped } = await read({ onRejected: 'next' });
    expect([provider.name, skipped]).toEqual(['backup', [{ name: 'main', failure: 'CredentialRejected' }]]);
  });

  test('that was replaced in the meantime is read again, and the endpoint is used', async () => {
    stage.chain.gateway.revoke(await stage.addEndpoint(workspaceId, 'main'));
    const ref = await resolve();
    await stage.addEndpoint(workspaceId, 'main');
    expect(await read({}, ref)).toMatchObject({ result: BALANCE, provider: { version: 2, cache: 'miss' } });
    expect(called()).toEqual(['main', 'main', 'main']);
  });
});

describe('a read', () => {
  test.each([
    'eth_sendRawTransaction',
    'eth_sendTransaction',
    'personal_sign',
    'debug_setHead',
    'eth_newFilter',
    'anvil_setBalance',
    '',
  ])('refuses a method that is not a read method, and sends nothing: %s', async (method) => {
    await stage.addEndpoint(workspaceId, 'main');
    await expect(read({ method })).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      nonRetryable: true,
      details: [{ fields: ['method'] }],
    });
    expect(called()).toEqual([]);
  });

  const call = { from: FUNDED_ADDRESS, to: '0x000000000000000000000000000000000000dEaD' };
  test.each<[string, Json[]]>([
    ['eth_blobBaseFee', []],
    ['eth_feeHistory', ['0x1', 'latest', []]],
    ['eth_getProof', [FUNDED_ADDRESS, [], 'latest']],
    ['eth_createAccessList', [call, 'latest']],
    ['eth_getBlockReceipts', ['latest']],
    ['eth_simulateV1', [{ blockStateCalls: [{ calls: [call] }] }, 'latest']],
    ['eth_syncing', []],
    ['debug_traceCall', [call, 'latest', { tracer: 'callTracer' }]],
    ['trace_block', ['0x0']],
    ['txpool_status', []],
    ['web3_clientVersion', []],
  ])('of a node of today is answered: %s', async (method, params) => {
    await stage.addEndpoint(workspaceId, 'main');
    expect(await read({ method, params })).toMatchObject({ provider: { name: 'main' } });
  });

  const ERROR_NO = `08c379a0${'0'.repeat(62)}20${'0'.repeat(63)}2${'6e6f'.padEnd(64, '0')}`;
  const PANIC = `4e487b71${'0'.repeat(62)}11`;
  const CUSTOM = `cf479181${'0'.repeat(63)}7`;
  test.each<[string, string, object]>([
    ['eth_call', ERROR_NO, { reason: 'no', data: `0x${ERROR_NO}` }],
    ['eth_estimateGas', PANIC, { reason: 'Panic(0x11): arithmetic overflow', data: `0x${PANIC}` }],
    ['eth_call', CUSTOM, { data: `0x${CUSTOM}` }],
    ['eth_call', '', {}],
  ])('that reverts fails with the reason and the data of the revert: %s, 0x%s', async (method, data, revert) => {
    await twoEndpoints();
    const code = `0x60${(data.length / 2).toString(16).padStart(2, '0')}80600b6000396000fd${data}`;
    const params = [call, 'latest', { [call.to]: { code } }];
    const failure = await read({ method, params }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ type: 'ProviderRequestInvalid', nonRetryable: true });
    expect((failure as { details: [{ revert?: object }] }).details[0].revert ?? {}).toEqual(revert);
    expect(called()).toEqual(['main', 'main']);
  });

  test('fails if an endpoint answers for another chain, even if the next endpoint would answer', async () => {
    const { chainId } = stage.chain;
    const answer = { jsonrpc: '2.0', id: 1, result: '0x1' };
    await twoEndpoints();
    failing('main', { status: 200, body: answer });
    await expect(read()).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      nonRetryable: true,
      message: `rpc/main of ${workspaceId}: the endpoint answers for chain 1, and is configured for chain ${chainId}`,
    });
    expect(called()).toEqual(['main']);
  });

  test('fails if the node itself rejects the request, and does not call the next endpoint', async () => {
    await twoEndpoints();
    await expect(read({ params: ['no address', 'latest'] })).rejects.toMatchObject({
      type: 'ProviderRequestInvalid',
      nonRetryable: true,
    });
    expect(called()).toEqual(['main', 'main']);
  });
});

test("a failure contains neither the endpoint's URL nor its key", async () => {
  const key = await stage.addEndpoint(workspaceId, 'main');
  failing('main', { status: 502, body: `<html>${key} at ${stage.chain.gateway.url}</html>` });
  const failure: unknown = await read().catch((error: unknown) => error);
  const { message, stack, details } = failure as Error & { details: unknown };
  expect(message).toBe(`rpc/main of ${workspaceId} is not available (HTTP 502)`);
  const all = `${message} ${stack} ${JSON.stringify(details)}`;
  expect(all).not.toContain(key);
  expect(all).not.toContain(stage.chain.gateway.url);
});
