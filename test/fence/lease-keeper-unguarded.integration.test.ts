/** Triggers, policies and databases that are not what they were: what workers and fences notice. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Lease } from '../../src/fence/lease.js';
import { LeaseKeeper } from '../../src/fence/lease-keeper.js';
import { fenceChange } from '../../src/management/change-fence.js';
import { PlatformFallback } from '../../src/providers/platform-fallback.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';
import { createParts } from '../../src/resolver/connect-parts.js';
import { ProviderResolver } from '../../src/resolver/provider-resolver.js';
import { openManagementStore } from '../../src/store/management-store.js';
import { openProviderStore } from '../../src/store/provider-store.js';
import { repair } from '../../src/store/repair.js';
import { Teardown } from '../../testbed/teardown.js';
import { provider, row } from '../store/rows.js';
import { withSession } from '../support/database.js';
import { uniqueName } from '../support/parts.js';
import { databaseForTest } from '../support/use-database.js';

const LEASE_MS = 60_000;
const WORKSPACE = 'ws_acme';

let teardown: Teardown;
const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
beforeEach(() => {
  teardown = new Teardown();
  warnings.mockClear();
});
afterEach(() => teardown.run());

/** A database with a provider, a manager, and a worker that has it in its cache and renews only when told to. */
async function warmWorker() {
  const { ownerUrl, managerUrl, resolverUrl } = await databaseForTest();
  const manager = openManagementStore({ databaseUrl: managerUrl });
  const store = openProviderStore({ databaseUrl: resolverUrl });
  const lease = new Lease(LEASE_MS);
  const sealer = { open: async () => JSON.stringify({ apiKey: 'canary-key-of-a-workspace' }) };
  const fallback = PlatformFallback.parse(
    'llm/anthropic',
    { ANTHROPIC_API_KEY: 'canary-key-of-the-platform' },
    ProviderTypes.builtIn,
  );
  const resolver = ProviderResolver.of(createParts({ store, sealer, lease, fetch, fallback }));
  const facts = { workerId: uniqueName('worker'), taskQueue: 'q', identity: 'agents', build: '0' };
  const worker = { ...facts, leaseMs: LEASE_MS, longestStepMs: 1_000 };
  const keeper = new LeaseKeeper({ store, worker, lease, cache: resolver.parts.cache });
  teardown.defer(async () => {
    await keeper.stop().catch(() => {});
    await Promise.all([store.close(), manager.close()]);
  });
  const read = () => resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
  await manager.putProvider(provider(WORKSPACE), { ...row('a'), config: {} });
  await keeper.renew();
  await read();
  const owner = (sql: string) => withSession(ownerUrl, (session) => session.query(sql));
  const served = () => resolver.peek(WORKSPACE, 'llm', 'anthropic')?.version;
  return { ownerUrl, owner, manager, keeper, lease, read, served };
}

const UNGUARDED = [
  ['a trigger is disabled', 'alter table workspace_providers disable trigger raise_version', 'triggers'],
  ['all triggers are disabled', 'alter table workspace_keys disable trigger user', 'triggers'],
  [
    'a trigger no longer fires in replication mode, as after pg_restore --disable-triggers',
    'alter table workspace_providers enable trigger note_update',
    'triggers',
  ],
  ['a trigger is dropped', 'drop trigger note_change on workspace_providers', 'triggers'],
  ['a policy is dropped', 'drop policy own_workspace on workspace_providers', 'policy'],
  ['the policy of the workers’ rows is dropped', 'drop policy only_functions on resolver_workers', 'policy'],
  ['the policy of the epoch is dropped', 'drop policy only_functions on provider_epoch', 'policy'],
  ['row-level security is switched off', 'alter table workspace_keys disable row level security', 'row-level'],
  ['row-level security is not forced', 'alter table provider_changes no force row level security', 'row-level'],
] as const;

describe.each(UNGUARDED)('while %s', (_, sabotage, word) => {
  it('a worker serves nothing from its cache, and nothing is reported as fenced; a repair ends that [G16]', async () => {
    const { ownerUrl, owner, manager, keeper, lease, read, served } = await warmWorker();
    await owner(sabotage);
    const refused = { type: 'StoreUnavailable', message: expect.stringContaining('migrate --repair') };
    await expect(keeper.renew()).rejects.toMatchObject(refused);
    await expect(keeper.renew()).rejects.toMatchObject(refused);
    expect([served(), lease.isHeld()]).toEqual([undefined, false]);
    expect(warnings.mock.calls).toEqual([[expect.stringContaining(word), 'ProviderLeaseWarning']]);
    await expect(fenceChange(manager, async () => ({}))).rejects.toMatchObject(refused);
    expect(await repair(ownerUrl)).toEqual([]);
    await keeper.renew();
    await read();
    expect(served()).toBe(1);
    expect((await fenceChange(manager, async () => ({}), { fence: '1ms' })).fence?.workers).toBeDefined();
  });
});

it('a hidden row is not taken for a missing one, so the platform’s key is not used in its place [G16]', async () => {
  const { owner, keeper, read } = await warmWorker();
  for (const table of ['workspace_providers', 'workspace_keys', 'provider_epoch']) {
    const [{ polname, definition }] = (
      await owner(`select polname, pg_get_expr(polqual, polrelid) as definition from pg_policy
        where polrelid = 'public.${table}'::regclass and polname <> 'auditor_reads'`)
    ).rows;
    await owner(`drop policy ${polname} on ${table}`);
    await keeper.renew().catch(() => {});
    await expect(read()).rejects.toMatchObject({ type: 'StoreUnavailable' });
    await owner(`create policy ${polname} on ${table} to provider_owner, provider_tenant using (${definition})`);
  }
});

it('a change that was made while a trigger was off for a moment is served after the next renewal', async () => {
  const { owner, keeper, read, served } = await warmWorker();
  await owner(`alter table workspace_providers disable trigger user;
    update workspace_providers set version = 9;
    alter table workspace_providers enable trigger user;
    do $$ declare each record; begin
      for each in select tgname from pg_trigger where tgrelid = 'workspace_providers'::regclass and not tgisinternal loop
        execute format('alter table workspace_providers enable always trigger %I', each.tgname);
      end loop;
    end $$`);
  expect(served()).toBe(1);
  await keeper.renew();
  expect(served()).toBeUndefined();
  await read();
  expect(served()).toBe(9);
});

it('another database of the same server, with the same rows, is another lineage', async () => {
  const { ownerUrl, manager } = await warmWorker();
  const { lineage } = await manager.readEpoch();
  await manager.close();
  const name = new URL(ownerUrl).pathname.slice(1);
  const server = new URL(ownerUrl);
  server.pathname = '/postgres';
  await withSession(server.href, async (session) => {
    await session.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
    await session.query(`create database ${name}_copy template ${name}`);
  });
  teardown.defer(() => withSession(server.href, (session) => session.query(`drop database ${name}_copy with (force)`)));
  const copy = new URL(ownerUrl);
  copy.pathname = `/${name}_copy`;
  const { rows } = await withSession(copy.href, (session) => session.query('select * from provider_api.read_epoch()'));
  expect(rows[0].lineage).not.toBe(lineage);
});
