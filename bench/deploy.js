/**
 * What follows a deployment: each worker of a fleet is asked for every workspace, and has none in its cache. The workers
 * are resolvers of this process, each with a connection pool of its own, so the figures include their share of it.
 */
import { createParts } from '../dist/resolver/connect-parts.js';
import { ProviderResolver } from '../dist/resolver/provider-resolver.js';
import { Sealer } from '../dist/sealing/sealer.js';
import { openProviderStore } from '../dist/store/provider-store.js';
import { heldLease } from './lease.js';

/**
 * @param {{ rounds: number, workers: number, callers: number, maxConnections: number }} settings
 * @param {import('./database.js').BenchDatabase} database
 * @returns {Promise<import('./report.js').Part[]>}
 */
export async function benchDeploy({ rounds, workers, callers, maxConnections }, database) {
  const { resolverUrl, rootKeyring, workspaceIds } = database;
  const turns = [];
  const failures = [];
  for (let round = 0; round < rounds; round++) {
    const stores = Array.from({ length: workers }, () =>
      openProviderStore({ databaseUrl: resolverUrl, maxConnections }),
    );
    const timesNs = [];
    let failed = 0;
    try {
      await Promise.all(
        stores.map(async (store) => {
          const sealer = new Sealer(rootKeyring, { maxDataKeys: workspaceIds.length });
          const resolver = ProviderResolver.of(createParts({ store, sealer, fetch, lease: heldLease() }));
          const remaining = workspaceIds.values();
          const call = async () => {
            for (const workspaceId of remaining) {
              const startedAtMs = performance.now();
              await resolver.resolveLlmKey({ workspaceId, provider: 'anthropic' }).catch(() => {
                failed += 1;
              });
              timesNs.push((performance.now() - startedAtMs) * 1e6);
            }
          };
          await Promise.all(Array.from({ length: callers }, call));
        }),
      );
    } finally {
      await Promise.all(stores.map((store) => store.close()));
    }
    timesNs.sort((a, b) => a - b);
    const at = (/** @type {number} */ share) => timesNs[Math.floor(share * (timesNs.length - 1))];
    turns.push({ samples: timesNs.length, min: at(0), p50: at(0.5), p99: at(0.99), max: at(1) });
    failures.push(failed);
  }
  const [turn] = turns;
  const name = `${callers} callers per worker`;
  const counts = { 'failed of all rounds': failures.reduce((sum, count) => sum + count, 0) };
  return [
    {
      title: `${workers} workers (${maxConnections} connections each) start cold, ${workspaceIds.length} workspaces each`,
      unit: 'ms',
      results: [{ name, p50: turn.p50, p99: turn.p99, rounds: turns, counts }],
    },
  ];
}
