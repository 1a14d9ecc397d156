/**
 * A thousand concurrent callers of one cold credential, on a real Postgres. A contender whose callers share a load
 * makes one query. The peers make the bare load, our resolver makes its full load.
 */
import { createParts } from '../dist/resolver/connect-parts.js';
import { ProviderResolver } from '../dist/resolver/provider-resolver.js';
import { Sealer } from '../dist/sealing/sealer.js';
import { openProviderStore } from '../dist/store/provider-store.js';
import { dataKeyOf, decrypt, inTurn, openPool, readWorkspace, sealedIn } from './bare-load.js';
import { heldLease } from './lease.js';
import { createPeers } from './peers.js';
import { inRounds, turnOfMs } from './rounds.js';

const CALLERS = 1_000;
const FLOOR = 'floor: one load, awaited by all';
const DEDUPE = 'async-cache-dedupe';
const AIM = 1.5;

/**
 * @param {{ rounds: number, turnMs: number }} settings
 * @param {import('./database.js').BenchDatabase} database
 * @returns {Promise<import('./report.js').Part[]>}
 */
export async function benchStorm({ rounds, turnMs }, { resolverUrl, rootKeyring, workspaceIds }) {
  const store = openProviderStore({ databaseUrl: resolverUrl });
  const pool = openPool(resolverUrl);
  let queries = 0;
  try {
    const dataKeys = new Map();
    for (const workspaceId of workspaceIds) {
      const workspace = await readWorkspace(pool, workspaceId);
      dataKeys.set(workspaceId, await dataKeyOf(workspace, workspaceId, rootKeyring));
    }
    const load = async (/** @type {string} */ workspaceId) => {
      queries += 1;
      return decrypt(sealedIn(await readWorkspace(pool, workspaceId)), dataKeys.get(workspaceId));
    };
    const countingStore = {
      readWorkspace: (/** @type {string} */ workspaceId) => {
        queries += 1;
        return store.readWorkspace(workspaceId);
      },
    };
    const sealer = new Sealer(rootKeyring);
    const parts = createParts({ store: countingStore, sealer, fetch, lease: heldLease(), maxProviders: 1 });
    const resolver = ProviderResolver.of(parts);
    // The caches hold one entry, so the next workspace is always cold.
    const peers = createPeers(load, 1).map(({ name, get }) => ({ name, storm: all(get) }));
    const contenders = [
      { name: FLOOR, storm: async (id) => all(async (/** @type {Promise<unknown>} */ shared) => shared)(load(id)) },
      {
        name: 'ours: resolveLlmKey (beside async-cache-dedupe)',
        storm: all((id) => resolver.resolveLlmKey({ workspaceId: id, provider: 'anthropic' })),
        floor: DEDUPE,
        aim: AIM,
      },
      ...peers.map((peer) => ({ ...peer, floor: FLOOR })),
      { name: 'no cache', storm: all(load), floor: FLOOR },
    ].map(({ storm, ...contender }) => ({ ...contender, run: inTurn(workspaceIds, storm), storms: 0, queries: 0 }));

    const results = await inRounds(contenders, rounds, (contender) => {
      const before = queries;
      const run = () => {
        contender.storms += 1;
        return contender.run();
      };
      return turnOfMs(turnMs)({ ...contender, run }).finally(() => {
        contender.queries += queries - before;
      });
    });
    for (const [index, { queries, storms }] of contenders.entries()) {
      results[index].counts = { 'queries a storm': queries / storms };
    }
    return [{ title: `${CALLERS} callers at once of one cold credential, on Postgres`, unit: 'ms', results }];
  } finally {
    await Promise.all([store.close(), pool.end()]);
  }
}

/** @template Asked @param {(asked: Asked) => Promise<unknown>} get */
function all(get) {
  return (/** @type {Asked} */ asked) => Promise.all(Array.from({ length: CALLERS }, () => get(asked)));
}
