/** Versions that the cache or the database does not have: of a replica that lags, of a restored database, or made up. */
import { describe, expect, test } from 'vitest';
import { toFailure } from '../../src/activities/run-activity.js';
import type { ProviderReference, VersionFloors } from '../../src/protocol/references.js';
import { PlatformFallback } from '../../src/providers/platform-fallback.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';
import { resolverInMemory, WORKSPACE } from './resolver-in-memory.js';

const memory = resolverInMemory();
const used = async () => 'used';
const KEY = 'canary-versions-key-0001';
const BASE = 'https://models.example';

async function withVersion(version: unknown) {
  const resolver = memory.resolverWith();
  const reference = await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
  return { resolver, reference: { ...reference, version } as ProviderReference<'llm'> };
}

describe('a reference above the version of its row', () => {
  test('is tried again while a replica may catch up, and then fails for good [G23]', async () => {
    const { resolver, reference } = await withVersion(1_000_000_000);
    const error = await resolver.withProvider(reference, used).catch((thrown: unknown) => thrown);
    const types = [1, 19, 20, 1_000].map((attempt) => {
      const { type, nonRetryable } = toFailure(error, attempt) as { type?: string; nonRetryable?: boolean };
      return `${type} ${nonRetryable}`;
    });
    expect(types).toEqual([
      ...[
        'StoreUnavailable false',
        'StoreUnavailable false',
        'ProviderConfigInvalid true',
        'ProviderConfigInvalid true',
      ],
    ]);
    expect(toFailure(error, 20).message).toMatch(
      /^version of llm\/anthropic of ws_acme that the step asks for is newer/,
    );
  });

  test('opens as soon as the row has it', async () => {
    const { resolver, reference } = await withVersion(2);
    await expect(resolver.withProvider(reference, used)).rejects.toMatchObject({ type: 'StoreUnavailable' });
    memory.store.write(WORKSPACE, 'llm', 'anthropic', {});
    expect(await resolver.withProvider(reference, used)).toBe('used');
  });
});

test.each([2 ** 31, 1e300, Number.POSITIVE_INFINITY, Number.NaN, -1, 1.5, '1', null, undefined])(
  'a version that no row can have is refused without a read: %s [G18]',
  async (version) => {
    const { resolver, reference } = await withVersion(version);
    const { load } = resolver.parts.cache.counts;
    await expect(resolver.withProvider(reference, used)).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      facts: { fields: ['version'] },
    });
    expect(resolver.parts.cache.counts.load).toBe(load);
  },
);

describe('a name with a version that its caller has seen', () => {
  const NAMES = ['mistral', 'anthropic'];
  const add = (name: string) =>
    memory.store.put(WORKSPACE, 'llm', name, { model: 'm', baseURL: BASE }, { apiKey: KEY });
  const nameOf = async (resolver: ReturnType<typeof memory.resolverWith>, atLeast?: VersionFloors) => {
    const { name, version } = await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: NAMES, atLeast });
    return `${name} ${version}`;
  };

  test('is read again if the cache has an older one [G16]', async () => {
    const resolver = memory.resolverWith();
    expect(await nameOf(resolver)).toBe('anthropic 1');
    await add('anthropic');
    expect(await nameOf(resolver), 'the cache is outdated').toBe('anthropic 1');
    expect(await nameOf(resolver, { anthropic: 2 })).toBe('anthropic 2');
    const { load } = resolver.parts.cache.counts;
    expect(await nameOf(resolver, { anthropic: 1 })).toBe('anthropic 2');
    expect(resolver.parts.cache.counts.load, 'an older floor costs nothing').toBe(load);
  });

  test('is read again if the cache lacks it, although a later name of the list is there', async () => {
    const resolver = memory.resolverWith();
    expect(await nameOf(resolver)).toBe('anthropic 1');
    await add('mistral');
    expect(await nameOf(resolver), 'the cache is outdated').toBe('anthropic 1');
    expect(await nameOf(resolver, { mistral: 1 })).toBe('mistral 1');
  });

  test('says nothing of the names behind the one that answers', async () => {
    await add('mistral');
    const resolver = memory.resolverWith();
    expect(await nameOf(resolver)).toBe('mistral 1');
    expect(await nameOf(resolver, { anthropic: 9 })).toBe('mistral 1');
  });

  test('that was deleted since leaves the next name', async () => {
    const resolver = memory.resolverWith();
    expect(await nameOf(resolver, { mistral: 4 })).toBe('anthropic 1');
  });

  test('is waited for if the database has an older one, even one that was disabled there', async () => {
    await add('mistral');
    memory.store.write(WORKSPACE, 'llm', 'mistral', { status: 'disabled' });
    const resolver = memory.resolverWith();
    expect(await nameOf(resolver)).toBe('anthropic 1');
    await expect(nameOf(resolver, { mistral: 3 })).rejects.toMatchObject({
      ...{ type: 'StoreUnavailable', facts: { provider: { name: 'mistral' } } },
    });
  });

  test("is never answered with the platform's credential", async () => {
    const fallback = PlatformFallback.parse('llm/openai', { OPENAI_API_KEY: KEY }, ProviderTypes.builtIn);
    const resolver = memory.resolverWith({ fallback });
    const resolve = (atLeast?: VersionFloors) =>
      resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'openai', atLeast });
    expect(await resolve()).toMatchObject({ source: 'platform', version: 0 });
    await expect(resolve({ openai: 1 })).rejects.toMatchObject({ type: 'ProviderNotConfigured' });
  });
});

describe('endpoints of a chain, of which the caller has seen versions', () => {
  const add = (name: string) =>
    memory.store.put(WORKSPACE, 'rpc', name, { chainId: 1 }, { url: `https://rpc.example/${KEY}` });
  const resolve = (resolver: ReturnType<typeof memory.resolverWith>, atLeast?: VersionFloors) =>
    resolver.resolveRpcEndpoint({ workspaceId: WORKSPACE, chainId: 1, atLeast });

  test('are read again if the cache has an older one [G16]', async () => {
    const resolver = memory.resolverWith();
    await add('main');
    expect((await resolve(resolver)).endpoints).toMatchObject([{ version: 1 }]);
    await add('main');
    expect((await resolve(resolver)).endpoints, 'the cache is outdated').toMatchObject([{ version: 1 }]);
    expect((await resolve(resolver, { main: 2 })).endpoints).toMatchObject([{ version: 2 }]);
  });

  test('are not asked if the database has an older one, as long as another one answers', async () => {
    await add('backup');
    const resolver = memory.resolverWith();
    await expect(resolve(resolver, { backup: 2 })).rejects.toMatchObject({ type: 'StoreUnavailable' });
    await add('main');
    memory.store.write(WORKSPACE, 'rpc', 'main', {});
    expect(await resolve(memory.resolverWith(), { backup: 2, main: 2 })).toMatchObject({
      endpoints: [{ name: 'main', version: 2 }],
      unusable: [{ name: 'backup', failure: 'StoreUnavailable' }],
    });
  });
});
