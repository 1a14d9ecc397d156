/** A read over a workspace's endpoints of a chain: a real node, behind a gateway that takes keys. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRpcStep } from '../../src/activities/rpc-step.js';
import type { WorkspaceProviders } from '../../src/index.js';
import { RPC_READ_METHODS, type RpcReference, type RpcStepInput, type RpcStepResult } from '../../src/workflow.js';
import { FUNDED_ADDRESS, newWorkspace, UNFENCED, useAgentStage } from '../support/agent-stage.js';
import { inActivity } from './in-activity.js';

const BALANCE = '0x21e19e0c9bab2400000';

const stage = useAgentStage({ chain: true });
let providers: WorkspaceProviders;
let workspaceId: string;

beforeAll(async () => {
  // Deaf: what was changed is learned when a test has it learned, and not by a notification that may come first.
  providers = await stage.connect({ listenDatabaseUrl: 'off' });
});

beforeEach(() => {
  workspaceId = newWorkspace();
});

const resolve = (chainId = stage.chain.chainId) =>
  providers.resolver.resolveRpcEndpoint({ workspaceId: workspaceId, chainId: chainId });

async function read(input: Partial<RpcStepInput> = {}, ref?: RpcReference): Promise<RpcStepResult> {
  const balance = { method: 'eth_getBalance', params: [FUNDED_ADDRESS, 'latest'] } as const;
  const step: RpcStepInput = { ref: ref ?? (await resolve()), ...balance, ...input };
  return (await inActivity().run(providers.activities.rpcStep, step)) as RpcStepResult;
}

/** `main` before `backup`, whatever order they were added in. */
async function twoEndpoints(): Promise<{ main: string; backup: string }> {
  const backup = await stage.addEndpoint(workspaceId, 'backup', { priority: 20 });
  const main = await stage.addEndpoint(workspaceId, 'main', { priority: 10 });
  return { main, backup };
}

/** The endpoints of the workspace that were called, each as often as it was. */
const called = () =>
  stage.chain.gateway.calls().flatMap(({ owner }) => (owner.startsWith(workspaceId) ? owner.split(' ')[1] : []));

const failing = (name: string, failure: object) =>
  stage.chain.gateway.failNext({ status: 500, ...failure, owner: `${workspaceId} ${name}` });

const REFUSED = { status: 401 };
const OVER_CAPACITY = {
  status: 429,
  body: { jsonrpc: '2.0', id: 1, error: { code: 429, message: 'Monthly capacity limit exceeded.' } },
};

describe('endpoints', () => {
  test('are asked in the order of their priority: where the first answers, no other is called', async () => {
    await twoEndpoints();
    expect(await read()).toEqual({
      result: BALANCE,
      provider: { name: 'main', version: 1, source: 'workspace', cache: 'hit' },
      skipped: [],
    });
    // Once for its chain, once to read.
    expect(called()).toEqual(['main', 'main']);
    await read();
    expect(called()).toEqual(['main', 'main', 'main']);
  });

  test.each([
    ['is away', { status: 503 }, 'ProviderUnavailable'],
    ['cuts the connection', { status: 'cut' }, 'ProviderUnavailable'],
    ['limits its rate', { status: 429 }, 'ProviderRateLimited'],
    ['has no capacity left', OVER_CAPACITY, 'ProviderQuotaExhausted'],
  ])('one that %s is passed over, and told of', async (_, failure, type) => {
    await twoEndpoints();
    failing('main', failure);
    const { result, provider, skipped } = await read();
    expect([result, provider.name, skipped]).toEqual([BALANCE, 'backup', [{ name: 'main', failure: type }]]);
    expect(called()).toEqual(['main', 'backup', 'backup']);
  });

  test('one that takes the call and never answers is passed over in time for the next', async () => {
    await twoEndpoints();
    const hold = stage.chain.gateway.holdNext({ owner: `${workspaceId} main` });
    const rpcStep = createRpcStep(providers.resolver, 300);
    const input: RpcStepInput = { ref: await resolve(), method: 'eth_blockNumber' };
    const { provider, skipped } = (await inActivity().run(rpcStep, input)) as RpcStepResult;
    expect([provider.name, skipped]).toEqual(['backup', [{ name: 'main', failure: 'ProviderUnavailable' }]]);
    hold.release();
  });

  test.each([
    ['the one that may answer later decides', OVER_CAPACITY, { status: 503 }, 'ProviderUnavailable', false],
    ['also where it was asked before the others', { status: 503 }, OVER_CAPACITY, 'ProviderUnavailable', false],
    ['and where none will, the step is not retried', OVER_CAPACITY, OVER_CAPACITY, 'ProviderQuotaExhausted', true],
  ])('that all fail: %s', async (_, main, backup, type, nonRetryable) => {
    await twoEndpoints();
    failing('main', main);
    failing('backup', backup);
    await expect(read()).rejects.toMatchObject({ type, nonRetryable });
    expect(called()).toEqual(['main', 'backup']);
  });

  test('one that was switched off since the reference was made is not called', async () => {
    await twoEndpoints();
    const ref = await resolve();
    await stage.manager.disableProvider({ workspaceId, type: 'rpc', name: 'main' }, UNFENCED);
    providers.resolver.parts.cache.clear();
    expect((await read({}, ref)).provider.name).toBe('backup');
    expect(called()).not.toContain('main');
  });

  test('where none is left, the step says so, and is not retried', async () => {
    await stage.addEndpoint(workspaceId, 'main');
    const ref = await resolve();
    await stage.manager.removeProvider({ workspaceId, type: 'rpc', name: 'main' }, UNFENCED);
    providers.resolver.parts.cache.clear();
    await expect(read({}, ref)).rejects.toMatchObject({ type: 'ProviderNotConfigured', nonRetryable: true });
  });
});

describe('a refused key', () => {
  test('is reported, and not hidden behind the next endpoint', async () => {
    const { main } = await twoEndpoints();
    stage.chain.gateway.revoke(main);
    await expect(read()).rejects.toMatchObject({
      type: 'CredentialRejected',
      nonRetryable: true,
      details: [{ provider: { workspaceId, type: 'rpc', name: 'main' } }],
    });
    expect(called()).toEqual(['main']);
  });

  test('is passed over where the caller asks for it, and told of', async () => {
    await twoEndpoints();
    failing('main', REFUSED);
    const { provider, skipped } = await read({ onRejected: 'next' });
    expect([provider.name, skipped]).toEqual(['backup', [{ name: 'main', failure: 'CredentialRejected' }]]);
  });

  test('that was replaced meanwhile is read again, and the endpoint used', async () => {
    stage.chain.gateway.revoke(await stage.addEndpoint(workspaceId, 'main'));
    const ref = await resolve();
    await stage.addEndpoint(workspaceId, 'main');
    expect(await read({}, ref)).toMatchObject({ result: BALANCE, provider: { version: 2, cache: 'miss' } });
    expect(called()).toEqual(['main', 'main', 'main']);
  });
});

describe('what is not read', () => {
  test.each([
    'eth_sendRawTransaction',
    'eth_sendTransaction',
    'personal_sign',
    'debug_traceCall',
    'anvil_setBalance',
    '',
  ])('a method that is none of those that read is refused, and nothing sent: %s', async (method) => {
    await stage.addEndpoint(workspaceId, 'main');
    await expect(read({ method: method as 'eth_call' })).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      nonRetryable: true,
      details: [{ fields: ['method'] }],
    });
    expect(called()).toEqual([]);
  });

  test('nothing on the list of methods writes', () => {
    expect(RPC_READ_METHODS.filter((method) => /send|sign|submit|set|mine|import|unlock/i.test(method))).toEqual([]);
  });

  test('another chain: an endpoint that answers for one fails the step, though the next would answer', async () => {
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

  test("a node's own refusal of the request is the caller's matter, and no reason to ask the next", async () => {
    await twoEndpoints();
    await expect(read({ params: ['no address', 'latest'] })).rejects.toMatchObject({
      type: 'ProviderRequestInvalid',
      nonRetryable: true,
    });
    expect(called()).toEqual(['main', 'main']);
  });
});

test('an answer that no workflow history can hold is ResultTooLarge, and the next endpoint is not asked for it', async () => {
  await twoEndpoints();
  await read(); // the chain is confirmed
  failing('main', { status: 200, body: { jsonrpc: '2.0', id: 1, result: 'x'.repeat(2 * 1024 * 1024) } });
  await expect(read()).rejects.toMatchObject({
    type: 'ResultTooLarge',
    nonRetryable: true,
    details: [{ provider: { workspaceId, type: 'rpc', name: 'main' } }],
  });
  expect(called()).not.toContain('backup');
});

test('a failure holds neither the URL nor its key', async () => {
  const key = await stage.addEndpoint(workspaceId, 'main');
  failing('main', { status: 502, body: `<html>${key} at ${stage.chain.gateway.url}</html>` });
  const failure: unknown = await read().catch((error: unknown) => error);
  const { message, stack, details } = failure as Error & { details: unknown };
  expect(message).toBe(`rpc/main of ${workspaceId} is not available (HTTP 502)`);
  const all = `${message} ${stack} ${JSON.stringify(details)}`;
  expect(all).not.toContain(key);
  expect(all).not.toContain(stage.chain.gateway.url);
});
