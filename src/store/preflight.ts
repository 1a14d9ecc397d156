/**
 * What a worker's login must not be able to do. Row-level security binds nobody who is a superuser, has BYPASSRLS or
 * owns a table, so a worker that could become one of those has no wall around it.
 */
import { ProviderError } from '../protocol/errors.js';
import { latestMigration } from './migration-files.js';
import type { Database } from './pool.js';

/** Facts from the catalog, which everybody may read; memberships count, as `set role` is a statement away. */
const FACTS = {
  name: 'preflight_facts',
  text: `
    with
      tables as (
        select c.* from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relname in ('workspace_providers', 'workspace_keys', 'provider_versions',
          'provider_epoch', 'provider_invalidations', 'resolver_workers')
      ),
      functions as (
        select p.* from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'provider_api'
      ),
      reachable as (select * from pg_roles where pg_has_role(oid, 'member'))
    select
      exists (select from functions where proname = 'read_workspace') as migrated,
      exists (select from reachable where rolsuper or rolbypassrls) as unbound,
      exists (select from tables join reachable on reachable.oid = relowner) as owner,
      exists (
        select from tables, reachable
        where has_any_column_privilege(reachable.oid, tables.oid, 'select, insert, update')
          or has_table_privilege(reachable.oid, tables.oid, 'delete, truncate')
      ) as touches_tables,
      exists (select from tables where not (relrowsecurity and relforcerowsecurity))
        or exists (select from functions join pg_roles r on r.oid = proowner where rolsuper or rolbypassrls)
        as unforced,
      exists (
        select from functions where proname = 'read_workspace' and has_function_privilege(oid, 'execute')
      ) and has_schema_privilege((select oid from pg_namespace where nspname = 'provider_api'), 'usage') as reads`,
};

const LATEST_MIGRATION = { name: 'latest_migration', text: 'select provider_api.latest_migration() as name' };

type Fact = 'migrated' | 'unbound' | 'owner' | 'touches_tables' | 'unforced' | 'reads';

/** In the order in which a person would set things right. */
const REFUSALS: readonly (readonly [fact: Fact, refusedWhen: boolean, why: string])[] = [
  [
    'unbound',
    true,
    'the database login is, or can become, a superuser or BYPASSRLS: give the worker a login of its own',
  ],
  ['migrated', false, 'the database is not migrated: run `workspace-providers migrate`'],
  ['owner', true, 'the database login owns the tables, or can: give the worker a login of its own'],
  ['touches_tables', true, 'the database login can touch the tables: grant it provider_resolver alone'],
  [
    'unforced',
    true,
    'row-level security is not enabled and forced on every table, or a function is owned by a role that bypasses it',
  ],
  ['reads', false, 'the database login cannot read providers: grant it provider_resolver'],
];

/** @throws ProviderError `ProviderConfigInvalid` where something must be set right first; `StoreUnavailable`. */
export async function preflight(database: Database): Promise<void> {
  const [facts] = await database.query<Record<Fact, boolean>>(FACTS, []);
  for (const [fact, refusedWhen, why] of REFUSALS) {
    if (facts?.[fact] === refusedWhen) throw refused(why);
  }
  const [applied] = await database.query<{ name: string }>(LATEST_MIGRATION, []);
  // A newer database is fine: migrations are append-only, and workers are replaced one by one.
  if (!applied || applied.name < latestMigration()) {
    throw refused('the database is older than this build: run `workspace-providers migrate`');
  }
}

function refused(why: string): ProviderError {
  return new ProviderError('ProviderConfigInvalid', why, { fields: ['databaseUrl'] });
}
