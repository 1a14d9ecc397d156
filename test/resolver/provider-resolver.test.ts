import { describe, expect, test } from 'vitest';
import { ProviderError } from '../../src/protocol/errors.js';
import type { FailureType } from '../../src/protocol/failure-types.js';
import type { ProviderResolver } from '../../src/resolver/provider-resolver.js';
import { KEY, NEXT_KEY, resolverInMemory, WORKSPACE } from './resolver-in-memory.js';

const memory = resolverInMemory();
const { resolverWith } = memory;

function rejected(): ProviderError {
  return new ProviderError('CredentialRejected', 'refused', {});
}

describe('resolving', () => {
  test('a reference names the provider and its version, and holds no secret [G4]', async () => {
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

  test('the first provider of a list that is configured and active serves', async () => {
    await memory.store.put(WORKSPACE, 'llm', 'openai', {}, { apiKey: 'canary-openai-key' });
    const resolver = resolverWith();
    expect(
      (await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: ['gemini', 'openai', 'anthropic'] })).name,
    ).toBe('openai');
    memory.store.write(WORKSPACE, 'llm', 'openai', { status: 'disabled' });
    resolver.parts.cache.clear();
    expect(
      (await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: ['gemini', 'openai', 'anthropic'] })).name,
    ).toBe('anthropic');
  });

  test('only the endpoints of the chain are returned, in the order of their priority', async () => {
    await memory.store.put(
      WORKSPACE,
      'rpc',
      'backup',
      { chainId: 1, priority: 20 },
      { url: 'https://b.example/canary-b' },
    );
    await memory.store.put(
      WORKSPACE,
      'rpc',
      'main',
      { chainId: 1, priority: 10 },
      { url: 'https://a.example/canary-a' },
    );
    await memory.store.put(WORKSPACE, 'rpc', 'base', { chainId: 8453 }, { url: 'https://c.example/canary-c' });
    const reference = await resolverWith().resolveRpcEndpoint({ workspaceId: WORKSPACE, chainId: 1 });
    expect(reference.endpoints.map((endpoint) => endpoint.name)).toEqual(['main', 'backup']);
    expect(JSON.stringify(reference)).not.toContain('canary');
  });

  test.each([
    ['an unknown workspace', 'ws_nobody', 'anthropic', 'ProviderNotConfigured'],
    ['an unknown provider', WORKSPACE, 'openai', 'ProviderNotConfigured'],
    ['an invalid workspace id', 'ws acme', 'anthropic', 'ProviderConfigInvalid'],
    ['a name with control characters', WORKSPACE, 'anthropic\u0000', 'ProviderConfigInvalid'],
  ])('%s is refused with its own failure type', async (_, workspaceId, provider, type) => {
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
      'an invalid chain id',
      (resolver: ProviderResolver) => resolver.resolveRpcEndpoint({ workspaceId: WORKSPACE, chainId: 0 }),
      'chainId',
    ],
  ])('%s is refused with an error that names the field', async (_, resolve, field) => {
    await expect(resolve(resolverWith())).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      facts: { fields: [field] },
    });
  });

  test('an endpoint with an invalid chain id is named if no other endpoint serves the chain', async () => {
    await memory.store.put(WORKSPACE, 'rpc', 'main', { chainId: 1 }, { url: 'https://a.example/canary-a' });
    memory.store.write(WORKSPACE, 'rpc', 'main', { config: { chainId: '1' } });
    await expect(resolverWith().resolveRpcEndpoint({ workspaceId: WORKSPACE, chainId: 1 })).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      facts: { fields: ['config.chainId'], provider: { name: 'main' } },
    });
  });

  test('a repaired endpoint serves at once', async () => {
    const config = { chainId: 1 };
    const secret = { url: 'https://a.example/canary-a' };
    await memory.store.put(WORKSPACE, 'rpc', 'main', config, secret);
    memory.store.write(WORKSPACE, 'rpc', 'main', { encryptedConfig: 'a.b.c.d.e' });
    const resolver = resolverWith();
    await expect(resolver.resolveRpcEndpoint({ workspaceId: WORKSPACE, chainId: 1 })).rejects.toMatchObject({
      type: 'CredentialUnreadable',
    });
    await memory.store.put(WORKSPACE, 'rpc', 'main', config, secret);
    expect((await resolver.resolveRpcEndpoint({ workspaceId: WORKSPACE, chainId: 1 })).endpoints[0]?.version).toBe(3);
  });

  test('a disabled provider is reported as disabled, not as missing', async () => {
    memory.store.write(WORKSPACE, 'llm', 'anthropic', { status: 'disabled' });
    await expect(resolverWith().resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })).rejects.toMatchObject(
      {
        type: 'ProviderDisabled',
      },
    );
  });

  test('a row that does not open does not affect other providers', async () => {
    await memory.store.put(WORKSPACE, 'llm', 'openai', {}, { apiKey: 'canary-openai-key' });
    memory.store.write(WORKSPACE, 'llm', 'openai', { encryptedConfig: 'a.b.c.d.e' });
    const resolver = resolverWith();
    await expect(resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'openai' })).rejects.toMatchObject({
      type: 'CredentialUnreadable',
    });
    expect((await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })).version).toBe(1);
  });
});

describe('opening', () => {
  test('a reference is a floor: an older cache entry is reloaded first', async () => {
    const resolver = resolverWith();
    const old = await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
    await memory.store.put(WORKSPACE, 'llm', 'anthropic', {}, { apiKey: NEXT_KEY });
    expect((await resolver.open(old)).use.version).toBe(1);
    const opened = await resolver.open({ ...old, type: 'llm', version: 2 });
    expect(opened.use).toMatchObject({ version: 2, cache: 'miss' });
    expect(opened.credential.apiKey).toBe(NEXT_KEY);
    expect((await resolver.open(old)).use.version).toBe(2);
  });

  test('a database that is behind the reference is reported as StoreUnavailable', async () => {
    const resolver = resolverWith();
    const reference = await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
    await expect(resolver.open({ ...reference, version: 9 })).rejects.toMatchObject({ type: 'StoreUnavailable' });
  });

  test('a refused key is reloaded, and a newer one is tried once', async () => {
    const resolver = resolverWith();
    const reference = {
      ...(await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })),
      type: 'llm' as const,
    };
    await memory.store.put(WORKSPACE, 'llm', 'anthropic', {}, { apiKey: NEXT_KEY });
    const seen: string[] = [];
    const used = await resolver.withProvider(reference, async ({ reveal, use }) => {
      seen.push((await reveal()).apiKey);
      if (seen.length === 1) throw rejected();
      return use;
    });
    expect(seen).toEqual([KEY, NEXT_KEY]);
    expect(used.version).toBe(2);
    expect(memory.store.loads).toBe(2);
  });

  test('a refused key without a newer one fails as CredentialRejected after one reload', async () => {
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
    expect([calls, memory.store.loads]).toEqual([1, 2]);
  });

  test('a load that began before the refusal is not used as the reload', async () => {
    const resolver = resolverWith();
    const reference = {
      ...(await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' })),
      type: 'llm' as const,
    };
    resolver.parts.cache.clear();
    let release = () => {};
    memory.store.beforeAnswer = () => new Promise((resolve) => (release = resolve));
    const early = resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
    await memory.store.put(WORKSPACE, 'llm', 'anthropic', {}, { apiKey: NEXT_KEY });
    const seen: number[] = [];
    const healed = resolver.withProvider(reference, async ({ use }) => {
      seen.push(use.version);
      memory.store.beforeAnswer = async () => {};
      if (use.version === 1) throw rejected();
      return use.version;
    });
    release();
    expect((await early).version).toBe(1);
    expect(await healed).toBe(2);
    expect(seen).toEqual([1, 2]);
  });
});

describe('the endpoints of a chain', () => {
  const CHAIN = { workspaceId: WORKSPACE, chainId: 1 };

  async function putEndpoint(name: string, priority: number): Promise<void> {
    const secret = { url: `https://${name}.example/canary-${name}` };
    await memory.store.put(WORKSPACE, 'rpc', name, { chainId: 1, priority }, secret);
  }

  /** A resolver of a chain with two endpoints: `main` before `backup`. */
  async function resolverOfTwo(unreadable: readonly string[] = []): Promise<ProviderResolver> {
    await putEndpoint('main', 10);
    await putEndpoint('backup', 20);
    for (const name of unreadable) memory.store.write(WORKSPACE, 'rpc', name, { encryptedConfig: 'a.b.c.d.e' });
    return resolverWith();
  }

  test('an endpoint that cannot be opened is listed as unusable, and the others serve', async () => {
    const resolver = await resolverOfTwo(['main']);
    const reference = await resolver.resolveRpcEndpoint(CHAIN);
    expect(reference.endpoints.map(({ name }) => name)).toEqual(['backup']);
    expect(reference.unusable).toEqual([{ name: 'main', failure: 'CredentialUnreadable' }]);
  });

  test('if all can be opened, none is listed as unusable', async () => {
    expect(await (await resolverOfTwo()).resolveRpcEndpoint(CHAIN)).not.toHaveProperty('unusable');
  });

  test('if none can be opened, the resolution fails and names one of them', async () => {
    const resolver = await resolverOfTwo(['main', 'backup']);
    await expect(resolver.resolveRpcEndpoint(CHAIN)).rejects.toMatchObject({
      type: 'CredentialUnreadable',
      facts: { provider: { type: 'rpc', name: 'backup' } },
    });
  });

  /** Calls a callback that fails on `main`, and records which endpoint each call was given. */
  async function askBoth(resolver: ProviderResolver, failure: FailureType) {
    const reference = await resolver.resolveRpcEndpoint(CHAIN);
    const asked: string[] = [];
    const answer = resolver.withProvider(reference, async ({ reveal, use }) => {
      asked.push(use.name);
      if (use.name === 'main') throw new ProviderError(failure, 'a test');
      return (await reveal()).url;
    });
    return { answer, asked };
  }

  test.each<FailureType>(['ProviderUnavailable', 'ProviderRateLimited', 'ProviderQuotaExhausted'])(
    'a callback is given the next endpoint after %s',
    async (failure) => {
      const { answer, asked } = await askBoth(await resolverOfTwo(), failure);
      expect(await answer).toBe('https://backup.example/canary-backup');
      expect(asked).toEqual(['main', 'backup']);
    },
  );

  test.each<FailureType>(['CredentialRejected', 'ProviderRequestInvalid'])(
    'a callback is not given the next endpoint after %s',
    async (failure) => {
      const { answer, asked } = await askBoth(await resolverOfTwo(), failure);
      await expect(answer).rejects.toMatchObject({ type: failure });
      expect(asked).toEqual(['main']);
    },
  );

  test('a callback is given the endpoints that the chain has now, not those that it had when it was resolved', async () => {
    await putEndpoint('main', 10);
    const resolver = resolverWith();
    const reference = await resolver.resolveRpcEndpoint(CHAIN);
    memory.store.remove(WORKSPACE, 'rpc', 'main');
    await putEndpoint('backup', 20);
    resolver.parts.cache.clear();
    expect(await resolver.withProvider(reference, async ({ use }) => use.name)).toBe('backup');
  });
});

describe('without a worker that knows the workspace', () => {
  test.each<[string, (resolver: ProviderResolver) => Promise<unknown>]>([
    ['resolveLlmKey', (resolver) => resolver.resolveLlmKey({ provider: 'anthropic' })],
    ['resolveTenderlyConfig', (resolver) => resolver.resolveTenderlyConfig()],
    ['resolveRpcEndpoint', (resolver) => resolver.resolveRpcEndpoint({ chainId: 1 })],
  ])('%s without a workspaceId reports that it is missing, and reads nothing', async (_, resolve) => {
    await expect(resolve(resolverWith())).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      message: 'workspaceId is missing',
      facts: { fields: ['workspaceId'] },
    });
    expect(memory.store.loads).toBe(0);
  });
});
