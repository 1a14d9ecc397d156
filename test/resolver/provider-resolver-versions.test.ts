/** References whose version the database does not have: of a replica that lags, of a restored database, or made up. */
import { describe, expect, test } from 'vitest';
import { toFailure } from '../../src/activities/run-activity.js';
import type { ProviderReference } from '../../src/protocol/references.js';
import { resolverInMemory, WORKSPACE } from './resolver-in-memory.js';

const memory = resolverInMemory();
const used = async () => 'used';

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
    expect(toFailure(error, 20).message).toMatch(/^version of the reference to llm\/anthropic of ws_acme is newer/);
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
