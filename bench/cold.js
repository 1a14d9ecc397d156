/**
 * A cold resolve on a real Postgres, beside the bare load. Each call takes the next workspace, and the resolvers'
 * caches hold only one, so every call is a miss. Nothing has to be cleared within the measured time.
 */
import { createParts } from '../dist/resolver/connect-parts.js';
import { ProviderResolver } from '../dist/resolver/provider-resolver.js';
import { Sealer } from '../dist/sealing/sealer.js';
import { openProviderStore } from '../dist/store/provider-store.js';
import { dataKeyOf, decrypt, inTurn, openPool, readWorkspace, sealedIn, selectRow } from './bare-load.js';
import { inRounds, turnOfMs } from './rounds.js';

const FLOOR = 'floor: query + decrypt';
const UNWRAPPING_FLOOR = 'floor: query + unwrap + decrypt';
const AIM = 1.5;

/**
 * @param {{ rounds: number, turnMs: number }} settings
 * @param {import('./database.js').BenchDatabase} database
 * @returns {Promise<import('./report.js').Part[]>}
 */
export async function benchCold({ rounds, turnMs }, { adminUrl, resolverUrl, rootKeyring, workspaceIds }) {
  const store = openProviderStore({ databaseUrl: resolverUrl });
  const pool = openPool(resolverUrl);
  const adminPool = openPool(adminUrl);
  const resolverWith = (/** @type {Sealer} */ sealer) =>
    ProviderResolver.of(createParts({ store, sealer, fetch, maxProviders: 1 }));
  const resolver = resolverWith(new Sealer(rootKeyring));
  const resolverWithoutDataKeys = resolverWith(new Sealer(rootKeyring, { maxDataKeys: 1 }));
  try {
    const sealed = new Map();
    const dataKeys = new Map();
    for (const workspaceId of workspaceIds) {
      const workspace = await readWorkspace(pool, workspaceId);
      sealed.set(workspaceId, sealedIn(workspace));
      dataKeys.set(workspaceId, await dataKeyOf(workspace, workspaceId, rootKeyring));
      await resolver.resolveLlmKey({ workspaceId, provider: 'anthropic' });
    }
    const contender = (name, get, compared = {}) => ({ name, run: inTurn(workspaceIds, get), ...compared });
    const contenders = [
      contender('the query alone', (id) => readWorkspace(pool, id)),
      contender('the decryption alone', (id) => decrypt(sealed.get(id), dataKeys.get(id))),
      contender(FLOOR, async (id) => decrypt(sealedIn(await readWorkspace(pool, id)), dataKeys.get(id))),
      contender('ours: resolveLlmKey', (id) => resolver.resolveLlmKey({ workspaceId: id, provider: 'anthropic' }), {
        floor: FLOOR,
        aim: AIM,
      }),
      contender(UNWRAPPING_FLOOR, async (id) => {
        const workspace = await readWorkspace(pool, id);
        return decrypt(sealedIn(workspace), await dataKeyOf(workspace, id, rootKeyring));
      }),
      contender(
        'ours: without its data key',
        (id) => resolverWithoutDataKeys.resolveLlmKey({ workspaceId: id, provider: 'anthropic' }),
        {
          floor: UNWRAPPING_FLOOR,
          aim: AIM,
        },
      ),
      contender(
        'select of the one row + decrypt',
        async (id) => decrypt((await selectRow(adminPool, id)).encrypted_config, dataKeys.get(id)),
        { floor: FLOOR },
      ),
    ];
    const results = await inRounds(contenders, rounds, turnOfMs(turnMs));
    for (const { parts } of [resolver, resolverWithoutDataKeys])
      if (parts.cache.counts.hit > 0) throw new Error('a cold resolve was a hit');
    return [{ title: 'cold resolve on Postgres, one after another', unit: 'µs', results }];
  } finally {
    await Promise.all([store.close(), pool.end(), adminPool.end()]);
  }
}
