/**
 * The caches that one would use otherwise, each as get-or-load, and configured as its documentation recommends for
 * values that JSON cannot hold: a credential holds live objects, so no cache serializes or clones here.
 */
import { createCache as createDedupingCache } from 'async-cache-dedupe';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { createCache as createCacheManager } from 'cache-manager';
import { createKeyv } from 'cacheable';
import { LRUCache } from 'lru-cache';

/** Longer than any benchmark runs, so that a warm benchmark measures only hits. */
export const LEASE_MS = 3_600_000;

/**
 * @param {(workspaceId: string) => Promise<{}>} load
 * @param {number} maxEntries
 * @returns {{ name: string, get: (workspaceId: string) => Promise<unknown> }[]}
 */
export function createPeers(load, maxEntries) {
  const lru = new LRUCache({ max: maxEntries, ttl: LEASE_MS, fetchMethod: load });

  const deduping = createDedupingCache({
    ttl: LEASE_MS / 1_000,
    storage: { type: 'memory', options: { size: maxEntries } },
  }).define('credential', load);

  const driver = memoryDriver({ maxItems: maxEntries, serialize: false });
  const bento = new BentoCache({ default: 'memory', stores: { memory: bentostore().useL1Layer(driver) } });

  const keyv = createKeyv({ ttl: LEASE_MS, lruSize: maxEntries, useClone: false });
  keyv.serialize = undefined;
  keyv.deserialize = undefined;
  const manager = createCacheManager({ stores: [keyv] });

  return [
    { name: 'lru-cache fetch', get: (workspaceId) => lru.fetch(workspaceId) },
    { name: 'async-cache-dedupe', get: (workspaceId) => deduping.credential(workspaceId) },
    {
      name: 'cache-manager wrap',
      get: (workspaceId) => manager.wrap(workspaceId, () => load(workspaceId), LEASE_MS),
    },
    {
      name: 'bentocache getOrSet',
      get: (workspaceId) => bento.getOrSet({ key: workspaceId, factory: () => load(workspaceId), ttl: LEASE_MS }),
    },
  ];
}
