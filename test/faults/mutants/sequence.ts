/**
 * The one rule in SQL: epochs are taken under the lock of a row, so that they become visible in commit order. Here two
 * transactions commit in the opposite order of their first statements, with a real worker's cache.
 */
import { awaitFence } from '../../../src/fence/fence.js';
import { Lease } from '../../../src/fence/lease.js';
import { LeaseKeeper } from '../../../src/fence/lease-keeper.js';
import { createParts } from '../../../src/resolver/connect-parts.js';
import { ProviderResolver } from '../../../src/resolver/provider-resolver.js';
import { openManagementStore } from '../../../src/store/management-store.js';
import { openProviderStore } from '../../../src/store/provider-store.js';
import { row } from '../../store/rows.js';
import { type TestDatabase, withSession } from '../../support/database.js';

/** The mutant takes epochs from a sequence, without a lock. The newest visible number is the epoch. */
export const SEQUENCE_FOR_EPOCH = `
  alter table public.provider_epoch rename to locked_epoch;
  create sequence public.epoch_sequence;
  set role provider_owner;
  create view public.provider_epoch as
    select coalesce(max(epoch), 0) as epoch, 0::bigint as pruned_to from public.provider_invalidations;
  reset role;
  grant usage on sequence public.epoch_sequence to provider_owner;
  create or replace function provider_api.take_epoch() returns bigint
    language sql security definer set search_path = pg_catalog, pg_temp
    return nextval('public.epoch_sequence');
  create or replace function provider_api.read_epoch() returns bigint
    language sql stable security definer set search_path = pg_catalog, pg_temp
    begin atomic
      select epoch from public.provider_epoch;
    end;`;

const [EARLY, LATE] = ['ws_early', 'ws_late'];
/** Longer than any test, so that time decides nothing here. */
const LEASE_MS = 600_000;

/** @returns the version that the cache returns after the early change was fenced, and the version of that change */
export async function commitInOtherOrder(
  database: TestDatabase,
): Promise<{ readonly served: number | undefined; readonly changedTo: number }> {
  const manager = openManagementStore({ databaseUrl: database.managerUrl });
  const store = openProviderStore({ databaseUrl: database.resolverUrl });
  const lease = new Lease(LEASE_MS);
  const sealer = { open: async () => JSON.stringify({ apiKey: 'canary-workspace' }) };
  const resolver = ProviderResolver.of(createParts({ store, sealer, lease, fetch }));
  const worker = { workerId: 'w', taskQueue: 'q', identity: 'i', build: '0', leaseMs: LEASE_MS, longestStepMs: 0 };
  const keeper = new LeaseKeeper({ store, worker, lease, cache: resolver.parts.cache });
  try {
    for (const workspaceId of [EARLY, LATE]) {
      await manager.putProvider({ workspaceId, type: 'llm', name: 'anthropic' }, { ...row('a'), config: {} });
    }
    await keeper.renew();
    const { version } = await resolver.resolveLlmKey({ workspaceId: EARLY, provider: 'anthropic' });
    const epoch = await withSession(database.ownerUrl, async (early) => {
      await early.query(`begin; ${update(EARLY)}; set constraints all immediate`);
      const taken = await early.query(
        `select max(epoch) as epoch from provider_invalidations where workspace_id = '${EARLY}'`,
      );
      await commitOrWait(database, early, keeper);
      return Number(taken.rows[0].epoch);
    });
    await Promise.all([awaitFence({ registry: store, epoch }), keeper.renew()]);
    return { served: resolver.peek(EARLY, 'llm', ['anthropic'])?.version, changedTo: version + 1 };
  } finally {
    await keeper.stop();
    await Promise.all([manager.close(), store.close()]);
  }
}

/** The late one commits, or waits for the early one, which commits after the worker has renewed its lease. */
async function commitOrWait(
  database: TestDatabase,
  early: { query(sql: string): Promise<{ rowCount: number | null }> },
  keeper: LeaseKeeper,
): Promise<void> {
  await withSession(database.ownerUrl, async (late) => {
    let isDone = false;
    const done = late.query(update(LATE)).finally(() => {
      isDone = true;
    });
    const isWaiting = async () => (await early.query('select from pg_locks where not granted')).rowCount !== 0;
    while (!isDone && !(await isWaiting()));
    await keeper.renew();
    await early.query('commit');
    await done;
  });
}

function update(workspaceId: string): string {
  return `update workspace_providers set encrypted_config = 'b.b.b.b.b' where workspace_id = '${workspaceId}'`;
}
