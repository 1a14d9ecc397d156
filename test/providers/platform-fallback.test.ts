import { beforeEach, describe, expect, test } from 'vitest';
import { ProviderError } from '../../src/protocol/errors.js';
import { PlatformFallback } from '../../src/providers/platform-fallback.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';
import { createParts } from '../../src/resolver/connect-parts.js';
import { ProviderResolver } from '../../src/resolver/provider-resolver.js';
import { FakeStore } from '../support/fake-store.js';
import { heldLease } from '../support/leases.js';

const WORKSPACE = 'ws_acme';
const neverFetch = (() => Promise.reject(new Error('no call was expected'))) as typeof fetch;

let store: FakeStore;

function resolverWith(fallback = PlatformFallback.off): ProviderResolver {
  return ProviderResolver.of(
    createParts({ lease: heldLease(), store, sealer: store.sealer, fetch: neverFetch, fallback }),
  );
}

beforeEach(() => {
  store = new FakeStore();
});

describe("the platform's own credentials", () => {
  const env = { OPENAI_API_KEY: 'canary-platform-openai', ANTHROPIC_API_KEY: 'canary-platform-anthropic' };
  const allowOpenAi = PlatformFallback.parse('llm/openai', env, ProviderTypes.builtIn);

  test('are not used unless a setting names them', async () => {
    await expect(resolverWith().resolveLlmKey({ workspaceId: WORKSPACE, provider: 'openai' })).rejects.toMatchObject({
      type: 'ProviderNotConfigured',
    });
    const resolver = resolverWith(allowOpenAi);
    await expect(resolver.resolveLlmKey({ workspaceId: 'ws_other', provider: 'anthropic' })).rejects.toMatchObject({
      type: 'ProviderNotConfigured',
    });
  });

  test('are used if the setting names them, and the reference has the source `platform`', async () => {
    const resolver = resolverWith(allowOpenAi);
    const reference = {
      ...(await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'openai' })),
      type: 'llm' as const,
    };
    expect(reference).toMatchObject({ source: 'platform', version: 0 });
    const { credential } = await resolver.open(reference);
    expect(credential.apiKey).toBe(env.OPENAI_API_KEY);
  });

  test('are opened from the cache', async () => {
    const resolver = resolverWith(allowOpenAi);
    const reference = await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'openai' });
    expect((await resolver.open(reference)).use).toMatchObject({ source: 'platform', cache: 'hit' });
    expect(store.loads).toBe(1);
  });

  test('are never used after an error or for a disabled provider [G17]', async () => {
    const resolver = resolverWith(allowOpenAi);
    store.beforeAnswer = () => Promise.reject(new ProviderError('StoreUnavailable', 'Postgres does not answer'));
    await expect(resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'openai' })).rejects.toMatchObject({
      type: 'StoreUnavailable',
    });
    store.beforeAnswer = async () => {};
    await store.put(WORKSPACE, 'llm', 'openai', {}, { apiKey: 'canary-own-openai' });
    store.write(WORKSPACE, 'llm', 'openai', { status: 'disabled' });
    await expect(resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'openai' })).rejects.toMatchObject({
      type: 'ProviderDisabled',
    });
  });

  test("are never opened by a reference to the workspace's credential", async () => {
    const resolver = resolverWith(allowOpenAi);
    await store.put(WORKSPACE, 'llm', 'openai', {}, { apiKey: 'canary-own-openai' });
    const reference = await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'openai' });
    store.remove(WORKSPACE, 'llm', 'openai');
    resolver.parts.cache.clear();
    await expect(resolver.open(reference)).rejects.toMatchObject({ type: 'ProviderNotConfigured' });
  });

  test.each(['llm', 'llm/openai/x', 'llm/no-such', 'LLM/openai'])(
    'are refused at the start for the setting %j',
    (setting) => {
      expect(() => PlatformFallback.parse(setting, {}, ProviderTypes.builtIn)).toThrowError(ProviderError);
    },
  );
});
