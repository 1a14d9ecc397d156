/**
 * The one rule in SQL: a change gets its epoch after its commit, so that whoever sees an epoch sees every change up to
 * it. Here two transactions commit in the opposite order of their first statements, with a real worker's cache.
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

/** In the mutant, a change takes its epoch from a sequence, before its commit. The newest visible number is the epoch. */
export const SEQUENCE_FOR_EPOCH = `
  create sequence public.epoch_sequence;
  grant usage on sequence public.epoch_sequence to provider_owner;
  create or replace function provider_api.note_change() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
    begin
      insert into public.provider_invalidations values (nextval('public.epoch_sequence'), new.workspace_id);
      return null;
    end $$;
  create or replace function provider_api.number_changes(p_may_wait boolean) returns void
    language sql security definer set search_path = pg_catalog, pg_temp as $$
    update public.provider_epoch set epoch = (select coalesce(max(epoch), 0) from public.provider_invalidations) $$;`;

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
  const sealer = { open: async () => JSON.stringify({ apiKey: 'canary-key-of-a-workspace' }) };
  const resolver = ProviderResolver.of(createParts({ store, sealer, lease, fetch }));
  const worker = { workerId: 'w', taskQueue: 'q', identity: 'i', build: '0', leaseMs: LEASE_MS, longestStepMs: 0 };
  const keeper = new LeaseKeeper({ store, worker, lease, cache: resolver.parts.cache });
  try {
    for (const workspaceId of [EARLY, LATE]) {
      await manager.putProvider({ workspaceId, type: 'llm', name: 'anthropic' }, { ...row('a'), config: {} });
    }
    await keeper.renew();
    const { version } = await resolver.resolveLlmKey({ workspaceId: EARLY, provider: 'anthropic' });
    await withSession(database.ownerUrl, async (early) => {
      await early.query(`begin; ${update(EARLY)}`);
      await withSession(database.ownerUrl, (late) => late.query(update(LATE)));
      await keeper.renew();
      await early.query('commit');
    });
    const change = await manager.readEpoch();
    await Promise.all([awaitFence({ registry: manager, change }), keeper.renew()]);
    return { served: resolver.peek(EARLY, 'llm', 'anthropic')?.version, changedTo: version + 1 };
  } finally {
    await keeper.stop();
    await Promise.all([manager.close(), store.close()]);
  }
}

function update(workspaceId: string): string {
  return `update workspace_providers set encrypted_config = 'b.b.b.b.b' where workspace_id = '${workspaceId}'`;
}
