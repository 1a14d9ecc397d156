import { beforeEach, describe, expect, test } from 'vitest';
import { Lease } from '../../src/fence/lease.js';
import { ProviderError } from '../../src/protocol/errors.js';
import { createParts, type PartsDependencies } from '../../src/resolver/connect-parts.js';
import { ProviderResolver } from '../../src/resolver/provider-resolver.js';
import { FakeStore } from '../support/fake-store.js';
import { heldLease, TestClock } from '../support/leases.js';

const WORKSPACE = 'ws_acme';
const KEY = 'canary-anthropic-key-0001';
const NEXT_KEY = 'canary-anthropic-key-0002';
const neverFetch = (() => Promise.reject(new Error('no call was expected'))) as typeof fetch;

let store: FakeStore;

function resolverWith(options: Partial<PartsDependencies> = {}): ProviderResolver {
  return ProviderResolver.of(
    createParts({ store, sealer: store.sealer, fetch: neverFetch, lease: heldLease(), ...options }),
  );
}

function rejected(): ProviderError {
  return new ProviderError('CredentialRejected', 'refused', {});
}

beforeEach(async () => {
  store = new FakeStore();
  await store.put(WORKSPACE, 'llm', 'anthropic', { model: 'claude-test' }, { apiKey: KEY });
});

describe('resolving', () => {
  test('a reference names the provider and its version, and holds no secret', async () => {
    const reference = await resolverWith().resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
    expect(reference).toMatchObject({
      workspaceId: WORKSPACE,
      type: 'llm',
      name: 'anthropic',
      version: 1,
      source: 'workspace',
      cache: 'miss',
    });
    expect(JSON.stringify(reference)).not.toContain(KEY);
    expect(JSON.stringify(reference)).toContain('…0001');
  });

  test('of a list, the first that is configured and active serves', async () => {
    await store.put(WORKSPACE, 'llm', 'openai', {}, { apiKey: 'canary-openai-key' });
    const resolver = resolverWith();
    expect(
      (await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: ['gemini', 'openai', 'anthropic'] })).name,
    ).toBe('openai');
    store.write(WORKSPACE, 'llm', 'openai', { status: 'disabled' });
    resolver.parts.cache.clear();
    expect(
      (await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: ['gemini', 'openai', 'anthropic'] })).name,
    ).toBe('anthropic');
  });

  test('endpoints of a chain come in the order of their priority, and of that chain alone', async () => {
    await store.put(WORKSPACE, 'rpc', 'backup', { chainId: 1, priority: 20 }, { url: 'https://b.example/canary-b' });
    await store.put(WORKSPACE, 'rpc', 'main', { chainId: 1, priority: 10 }, { url: 'https://a.example/canary-a' });
    await store.put(WORKSPACE, 'rpc', 'base', { chainId: 8453 }, { url: 'https://c.example/canary-c' });
    const reference = await resolverWith().resolveRpcEndpoint({ workspaceId: WORKSPACE, chainId: 1 });
    expect(reference.endpoints.map((endpoint) => endpoint.name)).toEqual(['main', 'backup']);
    expect(JSON.stringify(reference)).not.toContain('canary');
  });

  test.each([
    ['an unknown workspace', 'ws_nobody', 'anthropic', 'ProviderNotConfigured'],
    ['an unknown provider', WORKSPACE, 'openai', 'ProviderNotConfigured'],
    ['a workspace id that is none', 'ws acme', 'anthropic', 'ProviderConfigInvalid'],
    ['a name with control characters', WORKSPACE, 'anthropic\u0000', 'ProviderConfigInvalid'],
  ])('%s is refused with its type', async (_, workspaceId, provider, type) => {
    await expect(resolverWith().resolveLlmKey({ workspaceId: workspaceId, provider: provider })).rejects.toMatchObject({
      type,
    });
  });

  test.each([
    [
      'an empty list of providers',
      (resolver: ProviderResolver) => resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: [] }),
      'provider',
    ],
    [
      'a chain that is none',
      (resolver: ProviderResolver) => resolver.resolveRpcEndpoint({ workspaceId: WORKSPACE, chainId: 0 }),
      'chainId',
    ],
  ])('%s is refused, and the field named', async (_, resolve, field) => {
    await expect(resolve(resolverWith())).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      facts: { fields: [field] },
    });
  });

  test('an endpoint whose chain cannot be told is named, where no other serves the chain', async () => {
    await store.put(WORKSPACE, 'rpc', 'main', { chainId: '1' }, { url: 'https://a.example/canary-a' });
    await expect(resolverWith().resolveRpcEndpoint({ workspaceId: WORKSPACE, chainId: 1 })).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      facts: { fields: ['config.chainId'], provider: { name: 'main' } },
    });
  });

  test('a repaired endpoint serves at once', async () => {
    const config = { chainId: 1 };
    const secret = { url: 'https://a.example/canary-a' };
    await store.put(WORKSPACE, 'rpc', 'main', config, secret);
    store.write(WORKSPACE, 'rpc', 'main', { encryptedConfig: 'a.b.c.d.e' });
    const resolver = resolverWith();
    await expect(resolver.resolveRpcEndpoint({ workspaceId: WORKSPACE, chainId: 1 })).rejects.toMatchObject({
      type: 'CredentialUnreadable',
    });
    await store.put(WORKSPACE, 'rpc', 'main', config, secret);
    expect((await resolver.resolveRpcEndpoint({ workspaceId: WORKSPACE, chainId: 1 })).endpoints[0]?.version).toBe(3);
  });

  test('a disabled provider is told apart from a missing one', async () => {
    store.write(WORKSPACE, 'llm', 'anthropic', { status: 'disabled' });
    await expect(resolverWith().resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })).rejects.toMatchObject(
      {
        type: 'ProviderDisabled',
      },
    );
  });

  test('a row that does not open fails alone', async () => {
    await store.put(WORKSPACE, 'llm', 'openai', {}, { apiKey: 'canary-openai-key' });
    store.write(WORKSPACE, 'llm', 'openai', { encryptedConfig: 'a.b.c.d.e' });
    const resolver = resolverWith();
    await expect(resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'openai' })).rejects.toMatchObject({
      type: 'CredentialUnreadable',
    });
    expect((await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })).version).toBe(1);
  });
});

describe('the cache', () => {
  test('a thousand callers of one cold credential make one load', async () => {
    const resolver = resolverWith();
    const calls = Array.from({ length: 1000 }, () =>
      resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' }),
    );
    const outcomes = (await Promise.all(calls)).map((reference) => reference.cache);
    expect(store.loads).toBe(1);
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

  test('a warm resolve is synchronous, counted and makes no load', async () => {
    const resolver = resolverWith();
    await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
    expect(resolver.peek(WORKSPACE, 'llm', ['anthropic'])).toMatchObject({ version: 1, cache: 'hit' });
    expect(store.loads).toBe(1);
    expect(resolver.parts.cache.counts.hit).toBe(1);
  });

  test('nothing is answered from it without a lease, and loads still serve', async () => {
    const clock = new TestClock();
    const lease = new Lease(1_000, clock);
    const resolver = resolverWith({ lease });
    await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
    expect(resolver.peek(WORKSPACE, 'llm', ['anthropic'])).toBeUndefined();
    lease.extend(lease.now());
    expect(resolver.peek(WORKSPACE, 'llm', ['anthropic'])).toBeDefined();
    clock.nowMs = 1_000;
    expect((await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })).cache).toBe('miss');
    expect(resolver.parts.cache.counts).toMatchObject({ miss: 2, refusedByLease: 1, load: 2 });
  });

  test('a thousand callers without a lease make no more than two loads', async () => {
    const resolver = resolverWith({ lease: new Lease(1_000) });
    const calls = Array.from({ length: 1_000 }, () =>
      resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' }),
    );
    await Promise.all(calls);
    expect(store.loads).toBe(2);
  });

  test('no failure is cached', async () => {
    const resolver = resolverWith();
    store.beforeAnswer = () => Promise.reject(new ProviderError('StoreUnavailable', 'Postgres does not answer'));
    await expect(resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })).rejects.toMatchObject({
      type: 'StoreUnavailable',
    });
    store.beforeAnswer = async () => {};
    expect((await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })).version).toBe(1);
  });

  test('absence is not answered from the cache: what was configured a moment ago serves', async () => {
    const resolver = resolverWith();
    await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
    await store.put(WORKSPACE, 'llm', 'openai', {}, { apiKey: 'canary-openai-key' });
    expect((await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'openai' })).cache).toBe('miss');
  });

  test('a repaired row serves at once', async () => {
    const resolver = resolverWith();
    store.write(WORKSPACE, 'llm', 'anthropic', { encryptedConfig: 'a.b.c.d.e' });
    await expect(resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })).rejects.toMatchObject({
      type: 'CredentialUnreadable',
    });
    await store.put(WORKSPACE, 'llm', 'anthropic', {}, { apiKey: NEXT_KEY });
    expect((await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })).version).toBe(3);
  });

  test('no credential stays in memory for long because nobody asks for it', async () => {
    const clock = new TestClock();
    const lease = new Lease(1_000, clock);
    const resolver = resolverWith({ lease });
    await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
    const isCached = () => {
      lease.extend(lease.now());
      return resolver.peek(WORKSPACE, 'llm', ['anthropic']) !== undefined;
    };
    clock.nowMs = 9_999;
    resolver.parts.cache.sweep();
    expect(isCached()).toBe(true);
    clock.nowMs = 10_000;
    resolver.parts.cache.sweep();
    expect(isCached()).toBe(false);
  });

  test('it holds no more providers than its bound', async () => {
    const resolver = resolverWith({ maxProviders: 2 });
    for (const workspaceId of ['ws_1', 'ws_2', 'ws_3']) {
      await store.put(workspaceId, 'llm', 'openai', {}, { apiKey: 'canary-openai-key' });
      await resolver.resolveLlmKey({ workspaceId: workspaceId, provider: 'openai' });
    }
    expect(resolver.peek('ws_1', 'llm', ['openai'])).toBeUndefined();
    expect(resolver.peek('ws_3', 'llm', ['openai'])).toBeDefined();
  });
});

describe('opening', () => {
  test('a reference is a floor: an older entry is reloaded first', async () => {
    const resolver = resolverWith();
    const old = await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
    await store.put(WORKSPACE, 'llm', 'anthropic', {}, { apiKey: NEXT_KEY });
    expect((await resolver.open(old)).use.version).toBe(1);
    const opened = await resolver.open({ ...old, type: 'llm', version: 2 });
    expect(opened.use).toMatchObject({ version: 2, cache: 'miss' });
    expect(opened.credential.apiKey.reveal()).toBe(NEXT_KEY);
    expect((await resolver.open(old)).use.version).toBe(2);
  });

  test('a database that is behind the reference is said to be, and asked again later', async () => {
    const resolver = resolverWith();
    const reference = await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
    await expect(resolver.open({ ...reference, version: 9 })).rejects.toMatchObject({ type: 'StoreUnavailable' });
  });

  test('a refused key is read again, and a newer one tried once', async () => {
    const resolver = resolverWith();
    const reference = {
      ...(await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })),
      type: 'llm' as const,
    };
    await store.put(WORKSPACE, 'llm', 'anthropic', {}, { apiKey: NEXT_KEY });
    const seen: string[] = [];
    const used = await resolver.withProvider(reference, async ({ credential, use }) => {
      seen.push(credential.apiKey.reveal());
      if (seen.length === 1) throw rejected();
      return use;
    });
    expect(seen).toEqual([KEY, NEXT_KEY]);
    expect(used.version).toBe(2);
    expect(store.loads).toBe(2);
  });

  test('a refused key with no newer one is CredentialRejected, after one reload', async () => {
    const resolver = resolverWith();
    const reference = {
      ...(await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })),
      type: 'llm' as const,
    };
    let calls = 0;
    const refused = resolver.withProvider(reference, async () => {
      calls += 1;
      throw rejected();
    });
    await expect(refused).rejects.toMatchObject({ type: 'CredentialRejected' });
    expect([calls, store.loads]).toEqual([1, 2]);
  });

  test('a load that began before the refusal does not answer it', async () => {
    const resolver = resolverWith();
    const reference = {
      ...(await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })),
      type: 'llm' as const,
    };
    resolver.parts.cache.clear();
    let release = () => {};
    store.beforeAnswer = () => new Promise((resolve) => (release = resolve));
    const early = resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
    await store.put(WORKSPACE, 'llm', 'anthropic', {}, { apiKey: NEXT_KEY });
    const seen: number[] = [];
    const healed = resolver.withProvider(reference, async ({ use }) => {
      seen.push(use.version);
      store.beforeAnswer = async () => {};
      if (use.version === 1) throw rejected();
      return use.version;
    });
    release();
    expect((await early).version).toBe(1);
    expect(await healed).toBe(2);
    expect(seen).toEqual([1, 2]);
  });
});
