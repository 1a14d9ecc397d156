/** What the resolver answers from its cache, what it reads again, and how often it reads. */
import { expect, test } from 'vitest';
import { Lease } from '../../src/fence/lease.js';
import { ProviderError } from '../../src/protocol/errors.js';
import type { ProviderReference } from '../../src/protocol/references.js';
import type { ProviderResolver } from '../../src/resolver/provider-resolver.js';
import { heldLease, TestClock } from '../support/leases.js';
import { NEXT_KEY, resolverInMemory, WORKSPACE } from './resolver-in-memory.js';

const memory = resolverInMemory();
const { resolverWith } = memory;

test('a thousand callers of one credential that is not cached cause one load [G23]', async () => {
  const resolver = resolverWith();
  const calls = Array.from({ length: 1000 }, () =>
    resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' }),
  );
  const outcomes = (await Promise.all(calls)).map((reference) => reference.cache);
  expect(memory.store.loads).toBe(1);
  expect(outcomes.filter((cache) => cache === 'miss')).toHaveLength(1);
  expect(resolver.parts.cache.counts).toEqual({
    hit: 0,
    miss: 1,
    joined: 999,
    reloaded: 0,
    refusedByLease: 0,
    load: 1,
  });
});

/** Two callers of each name, once the load is under way whose first caller asked for `anthropic`. */
function askTwice(resolver: ProviderResolver, names: readonly string[]) {
  const ask = (provider: string) => resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider });
  const first = ask('anthropic');
  return Promise.allSettled([first, ...names.flatMap((name) => [ask(name), ask(name)])]);
}

const answerOf = (outcome: PromiseSettledResult<ProviderReference>) =>
  outcome.status === 'fulfilled' ? [outcome.value.cache, outcome.value.version] : outcome.reason.type;

test('callers of one load get the answer to what each of them asked', async () => {
  const resolver = resolverWith();
  await memory.store.put(WORKSPACE, 'llm', 'openai', {}, { apiKey: 'canary-openai-key' });
  const outcomes = await askTwice(resolver, ['anthropic', 'openai', 'gemini', 'No Name']);
  expect(outcomes.map(answerOf)).toEqual([
    ['miss', 1],
    ['joined', 1],
    ['joined', 1],
    ['joined', 1],
    ['joined', 1],
    'ProviderNotConfigured',
    'ProviderNotConfigured',
    'ProviderConfigInvalid',
    'ProviderConfigInvalid',
  ]);
  expect(resolver.parts.cache.counts).toMatchObject({ miss: 2, load: 2 });
});

test('a change that is applied during a load is in the answers of all who joined it [G16]', async () => {
  const lease = heldLease();
  const resolver = resolverWith({ lease });
  memory.store.beforeAnswer = async () => {
    memory.store.beforeAnswer = async () => {};
    await memory.store.put(WORKSPACE, 'llm', 'anthropic', {}, { apiKey: NEXT_KEY });
    lease.apply(1);
  };
  const outcomes = await askTwice(resolver, ['anthropic', 'anthropic']);
  expect(outcomes.slice(1).map((outcome) => answerOf(outcome)[1])).toEqual([2, 2, 2, 2]);
});

test('a resolve from the cache is synchronous, is counted and causes no load', async () => {
  const resolver = resolverWith();
  await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
  expect(resolver.peek(WORKSPACE, 'llm', 'anthropic')).toMatchObject({ version: 1, cache: 'hit' });
  expect(memory.store.loads).toBe(1);
  expect(resolver.parts.cache.counts.hit).toBe(1);
});

test('without a lease the cache does not answer, and loads still do [G16]', async () => {
  const clock = new TestClock();
  const lease = new Lease(1_000, clock);
  const resolver = resolverWith({ lease });
  await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
  expect(resolver.peek(WORKSPACE, 'llm', 'anthropic')).toBeUndefined();
  lease.extend(lease.now());
  expect(resolver.peek(WORKSPACE, 'llm', 'anthropic')).toBeDefined();
  clock.nowMs = 1_000;
  expect((await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })).cache).toBe('miss');
  expect(resolver.parts.cache.counts).toMatchObject({ miss: 2, refusedByLease: 1, load: 2 });
});

test('a thousand callers without a lease cause at most two loads', async () => {
  const resolver = resolverWith({ lease: new Lease(1_000) });
  const calls = Array.from({ length: 1_000 }, () =>
    resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' }),
  );
  await Promise.all(calls);
  expect(memory.store.loads).toBe(2);
});

test('a failure is not cached', async () => {
  const resolver = resolverWith();
  memory.store.beforeAnswer = () => Promise.reject(new ProviderError('StoreUnavailable', 'Postgres does not answer'));
  await expect(resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })).rejects.toMatchObject({
    type: 'StoreUnavailable',
  });
  memory.store.beforeAnswer = async () => {};
  expect((await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })).version).toBe(1);
});

test('a missing provider is not cached: a provider that was just configured serves', async () => {
  const resolver = resolverWith();
  await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
  await memory.store.put(WORKSPACE, 'llm', 'openai', {}, { apiKey: 'canary-openai-key' });
  expect((await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'openai' })).cache).toBe('miss');
});

test('a repaired row serves at once', async () => {
  const resolver = resolverWith();
  memory.store.write(WORKSPACE, 'llm', 'anthropic', { encryptedConfig: 'a.b.c.d.e' });
  await expect(resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })).rejects.toMatchObject({
    type: 'CredentialUnreadable',
  });
  await memory.store.put(WORKSPACE, 'llm', 'anthropic', {}, { apiKey: NEXT_KEY });
  expect((await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })).version).toBe(3);
});

test('a credential that nobody asks for is soon dropped from memory [G23]', async () => {
  const clock = new TestClock();
  const lease = new Lease(1_000, clock);
  const resolver = resolverWith({ lease });
  await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
  const isCached = () => {
    lease.extend(lease.now());
    return resolver.peek(WORKSPACE, 'llm', 'anthropic') !== undefined;
  };
  clock.nowMs = 9_999;
  resolver.parts.cache.sweep();
  expect(isCached()).toBe(true);
  clock.nowMs = 10_000;
  resolver.parts.cache.sweep();
  expect(isCached()).toBe(false);
});

test('the cache holds at most maxProviders providers', async () => {
  const resolver = resolverWith({ maxProviders: 2 });
  for (const workspaceId of ['ws_1', 'ws_2', 'ws_3']) {
    await memory.store.put(workspaceId, 'llm', 'openai', {}, { apiKey: 'canary-openai-key' });
    await resolver.resolveLlmKey({ workspaceId: workspaceId, provider: 'openai' });
  }
  expect(resolver.peek('ws_1', 'llm', 'openai')).toBeUndefined();
  expect(resolver.peek('ws_3', 'llm', 'openai')).toBeDefined();
});

test('the workspaces that were used since the last load stay, and the others are evicted', async () => {
  const resolver = resolverWith({ maxProviders: 3 });
  const use = async (workspaceId: string) => {
    await memory.store.put(workspaceId, 'llm', 'openai', {}, { apiKey: 'canary-openai-key' });
    await resolver.resolveLlmKey({ workspaceId, provider: 'openai' });
  };
  for (const workspaceId of ['ws_1', 'ws_2', 'ws_3']) await use(workspaceId);
  await use('ws_1');
  await use('ws_4');
  const isCached = (workspaceId: string) => resolver.peek(workspaceId, 'llm', 'openai') !== undefined;
  expect(['ws_1', 'ws_2', 'ws_3', 'ws_4'].map(isCached)).toEqual([true, false, true, true]);
});

test('an agent with more providers than have a place for warm answers is served all of them from the cache', async () => {
  const resolver = resolverWith();
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const config = { baseURL: 'https://llm.example/v1' };
  for (const name of names) await memory.store.put('ws_1', 'llm', name, config, { apiKey: 'canary-openai-key' });
  const resolve = (provider: string) => resolver.resolveLlmKey({ workspaceId: 'ws_1', provider });
  for (const name of names) await resolve(name);
  const loads = memory.store.loads;
  expect(await Promise.all(names.map(resolve))).toMatchObject(names.map((name) => ({ name, cache: 'hit' })));
  expect(memory.store.loads).toBe(loads);
});
