/** Rights and policies that were added or removed beside the schema are found by every process, and repaired. */
import { describe, expect, inject, it, vi } from 'vitest';
import { openManagementStore } from '../../src/store/management-store.js';
import { openProviderStore } from '../../src/store/provider-store.js';
import { findFaults, repair } from '../../src/store/repair.js';
import { createTestDatabase, withSession } from '../support/database.js';
import { uniqueName } from '../support/parts.js';
import { useDatabase } from '../support/use-database.js';
import { anyWorkspace, provider, row } from './rows.js';
import { listPrivileges } from './schema/privileges.js';

/** A role of the web, as Supabase has one. */
const ANON = uniqueName('anon').replaceAll('-', '_');

const database = useDatabase(async (teardown) => {
  const asAdministrator = (sql: string) => withSession(inject('postgresUrl'), (session) => session.query(sql));
  await asAdministrator(`create role ${ANON} nologin; create role ${ANON}_2 nologin`);
  // After the database, and with it their rights, is gone.
  teardown.defer(() => asAdministrator(`drop role ${ANON}, ${ANON}_2`).then(() => {}));
  return createTestDatabase(teardown);
});

/** As a process that starts. */
async function preflight(): Promise<void> {
  for (const store of [
    openProviderStore({ databaseUrl: database.resolverUrl }),
    openManagementStore({ databaseUrl: database.managerUrl }),
  ]) {
    await store.preflight().finally(() => store.close());
  }
}

const FAULTS: readonly (readonly [change: string, where: string])[] = [
  ['grant all on all tables in schema public to ANON', 'ANON on workspace_providers'],
  ['grant truncate on provider_events to ANON', 'ANON on provider_events'],
  ['grant select (config) on workspace_providers to ANON', 'ANON on workspace_providers'],
  ['grant update (config) on workspace_providers to public', 'public on workspace_providers'],
  ['grant references on workspace_keys to ANON', 'ANON on workspace_keys'],
  ['grant delete on workspace_providers to provider_tenant', 'provider_tenant on workspace_providers'],
  ['grant update (rotated_at) on workspace_providers to provider_tenant', 'provider_tenant on workspace_providers'],
  ['grant insert on workspace_keys to provider_tenant', 'provider_tenant on workspace_keys'],
  [
    'grant select (encrypted_config) on workspace_providers to provider_auditor',
    'provider_auditor on workspace_providers',
  ],
  ['grant usage on all sequences in schema public to ANON', 'ANON on resolver_renewals'],
  ['grant usage on schema provider_api to ANON', 'ANON on provider_api'],
  ['grant create on schema provider_api to provider_manager', 'provider_manager on provider_api'],
  ['grant execute on all functions in schema provider_api to ANON', 'ANON on put_provider'],
  ['grant execute on function provider_api.list_data_keys to public', 'public on list_data_keys'],
  ['grant execute on function provider_api.mark_vanished to provider_resolver', 'provider_resolver on mark_vanished'],
  ['grant execute on function provider_api.put_provider to provider_tenant', 'provider_tenant on put_provider'],
  [
    `grant select on workspace_keys to ANON with grant option; set role ANON; grant select on workspace_keys to ANON_2`,
    'ANON_2 on workspace_keys',
  ],
  ['alter default privileges for role provider_owner grant select on tables to ANON', 'provider_owner'],
  [
    'alter default privileges for role provider_auditor in schema provider_api grant execute on functions to ANON',
    'provider_auditor',
  ],
  ['create policy web on workspace_providers for select to ANON using (true)', 'web on workspace_providers'],
  ['create policy web on provider_rotations using (true)', 'web on provider_rotations'],
  [
    'create policy own_workspace_by_claim on workspace_keys to ANON using (true)',
    'own_workspace_by_claim on workspace_keys',
  ],
  ['alter table workspace_keys disable row level security', 'workspace_keys'],
  ['alter table provider_use no force row level security', 'provider_use'],
  ['drop policy own_workspace on workspace_providers', 'workspace_providers'],
  ['alter policy own_workspace on workspace_keys using (true)', 'workspace_keys'],
  ['alter table workspace_providers disable trigger note_change', 'note_change on workspace_providers'],
  ['alter table workspace_keys enable trigger note_delete', 'note_delete on workspace_keys'],
  ['alter table provider_events disable trigger all', 'append_only on provider_events'],
];

describe('a fault beside the schema', () => {
  it.each(FAULTS)('is found and repaired: %s [G14]', async (change, where) => {
    const named = (text: string) => text.replaceAll('ANON', ANON);
    const before = await withSession(database.ownerUrl, listPrivileges);
    await database.query(named(change));
    const found = await findFaults(database.ownerUrl);
    expect(found.map((fault) => fault.where)).toContain(named(where));
    await expect(preflight()).rejects.toMatchObject({
      type: 'SetupInvalid',
      // A right that PUBLIC has is also one of the login's own.
      message: expect.stringMatching(/migrate --repair`|can access tables/),
    });
    expect(await repair(database.ownerUrl)).toEqual([]);
    await preflight();
    expect(await withSession(database.ownerUrl, listPrivileges)).toBe(before);
  });

  it('is repaired although a trigger or a function is gone, or was replaced', async () => {
    const before = await withSession(database.ownerUrl, listPrivileges);
    await database.query(`drop trigger note_truncate on workspace_keys;
      drop function provider_api.count_overdue();
      create or replace function provider_api.note_change() returns trigger language plpgsql
        as 'begin return null; end'`);
    await expect(preflight()).rejects.toMatchObject({ type: 'SetupInvalid' });
    expect(await repair(database.ownerUrl)).toEqual([]);
    await preflight();
    const identity = provider(anyWorkspace());
    const { epoch } = await database.manager.readEpoch();
    await database.manager.putProvider(identity, row('a'));
    expect((await database.manager.readEpoch()).epoch).toBe(epoch + 1);
    expect(await withSession(database.ownerUrl, listPrivileges)).toBe(before);
  });

  it('does not stop a manager that has passed the check: a kill switch must work', async () => {
    const identity = provider(anyWorkspace());
    await database.manager.putProvider(identity, row('a'));
    await database.query(`grant select on workspace_keys to ${ANON}`);
    await expect(database.manager.preflight()).rejects.toMatchObject({ type: 'SetupInvalid' });
    expect(await database.manager.setStatus(identity, 'disabled')).toMatchObject({ version: 2 });
    await repair(database.ownerUrl);
  });
});

it('a repair ends neither itself nor a renewal by a deadlock, in whichever order that locks the tables', async () => {
  await database.query(`grant select on workspace_keys to ${ANON}`);
  const waiting = `select from pg_locks where not granted and relation = 'provider_epoch'::regclass`;
  await withSession(database.ownerUrl, async (session) => {
    // As a renewal, which reads the epoch first.
    await session.query('begin; select from provider_epoch');
    const repaired = repair(database.ownerUrl);
    await vi.waitFor(async () => expect((await database.query(waiting)).rowCount).toBe(1), { timeout: 10_000 });
    await session.query('select from provider_changes');
    await session.query('commit');
    expect(await repaired).toEqual([]);
  });
});

it('a repair is given up, and changes nothing, if a session holds a table for long', async () => {
  await database.query(`grant select on workspace_keys to ${ANON}`);
  await withSession(database.ownerUrl, async (session) => {
    await session.query('begin; select from provider_use');
    const refused = { type: 'StoreUnavailable', message: expect.stringContaining('holds a lock for too long') };
    await expect(repair(database.ownerUrl, 1_000)).rejects.toMatchObject(refused);
    await session.query('commit');
  });
  expect(await findFaults(database.ownerUrl)).toHaveLength(1);
  expect(await repair(database.ownerUrl)).toEqual([]);
});

it('a repair of a schema without faults changes nothing', async () => {
  expect(await findFaults(database.ownerUrl)).toEqual([]);
  expect(await repair(database.ownerUrl)).toEqual([]);
  await expect(await withSession(database.ownerUrl, listPrivileges)).toMatchFileSnapshot('schema/privileges.txt');
});
