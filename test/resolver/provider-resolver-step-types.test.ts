/** What steps may open: no reference leads to an admin credential, however it was made. */
import { beforeEach, describe, expect, test } from 'vitest';
import { ProviderTypes } from '../../src/providers/provider-types.js';
import type { ProviderResolver } from '../../src/resolver/provider-resolver.js';
import { resolverInMemory, WORKSPACE } from './resolver-in-memory.js';

const ADMIN_KEY = 'canary-admin-key-5e1f0c7d';
const memory = resolverInMemory();
let resolver: ProviderResolver;

beforeEach(async () => {
  await memory.store.put(WORKSPACE, 'llm-admin', 'anthropic', {}, { adminKey: ADMIN_KEY });
  await memory.store.put(WORKSPACE, 'rpc', 'mainnet', { chainId: 1 }, { url: 'https://rpc.example/canary' });
  resolver = memory.resolverWith();
});

const forged = (type: string, more: object = {}) =>
  ({ workspaceId: WORKSPACE, type, name: 'anthropic', version: 0, source: 'workspace', ...more }) as never;

const NOT_FOR_STEPS = [
  ...ProviderTypes.builtIn.names.filter((type) => !ProviderTypes.builtIn.stepNames.includes(type)),
  ...['__proto__', 'constructor', 'LLM-ADMIN', 'llm-admin ', '', 'no-such-type'],
];

describe('a type that steps may not open', () => {
  test('includes the admin credentials', () => {
    expect(NOT_FOR_STEPS).toContain('llm-admin');
  });

  test.each(NOT_FOR_STEPS)('is refused by every way to a credential: %j [G15]', async (type) => {
    const opened: unknown[] = [];
    const keep = async (call: unknown) => opened.push(call);
    const ways = [
      () => resolver.withProvider(forged(type), keep),
      () => resolver.withProvider(forged(type, { source: 'platform' }), keep),
      () => resolver.withProvider(forged(type, { version: 1 }), keep),
      () => resolver.open(forged(type)),
    ];
    for (const cached of [false, true]) {
      if (cached) await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
      for (const way of ways) await expect(way()).rejects.toMatchObject({ type: 'ProviderConfigInvalid' });
    }
    expect(opened).toEqual([]);
    expect(() => ProviderTypes.builtIn.stepType(type)).toThrow('must be one of llm, tenderly, rpc, http:');
  });

  test('is not reached through a chain whose endpoints are forged [G15]', async () => {
    const endpoints = [forged('llm-admin', { version: 1 })];
    const chain = { workspaceId: WORKSPACE, type: 'rpc', chainId: 1, endpoints } as never;
    const seen: unknown[] = [];
    await resolver
      .withProvider(chain, async ({ credential }: { credential: object }) => seen.push(Object.keys(credential)))
      .catch(() => {});
    expect(JSON.stringify(seen)).not.toContain('adminKey');
  });

  test('is not kept in the cache, so nothing in the process leads to it [G15]', async () => {
    await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
    const entry = resolver.parts.cache.peek(WORKSPACE);
    expect(entry?.find('llm', 'anthropic'), 'control').toBeDefined();
    expect(entry?.find('llm-admin', 'anthropic')).toBeUndefined();
    expect(entry?.ofType('llm-admin')).toEqual([]);
  });
});
