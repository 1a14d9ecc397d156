/** A resolver over a store in memory, for the length of a test: real sealing and a real cache, no Postgres. */
import { beforeEach } from 'vitest';
import { createParts, type PartsDependencies } from '../../src/resolver/connect-parts.js';
import { ProviderResolver } from '../../src/resolver/provider-resolver.js';
import { FakeStore } from '../support/fake-store.js';
import { heldLease } from '../support/leases.js';

export const WORKSPACE = 'ws_acme';
export const KEY = 'canary-anthropic-key-0001';
export const NEXT_KEY = 'canary-anthropic-key-0002';

const neverFetch = (() => Promise.reject(new Error('no call was expected'))) as typeof fetch;

export interface ResolverInMemory {
  /** The test's own store, in which the workspace has `llm/anthropic` with `KEY`. */
  readonly store: FakeStore;
  resolverWith(options?: Partial<PartsDependencies>): ProviderResolver;
}

export function resolverInMemory(): ResolverInMemory {
  let store: FakeStore;
  beforeEach(async () => {
    store = new FakeStore();
    await store.put(WORKSPACE, 'llm', 'anthropic', { model: 'claude-test' }, { apiKey: KEY });
  });
  return {
    get store() {
      return store;
    },
    resolverWith: (options = {}) =>
      ProviderResolver.of(
        createParts({ store, sealer: store.sealer, fetch: neverFetch, lease: heldLease(), ...options }),
      ),
  };
}
