/**
 * Checks, before anything else is read, that the database login has no more rights than its role, and that row-level
 * security is complete. Row-level security does not bind superusers, roles with BYPASSRLS and owners of tables, so it
 * does not limit a process that can become one of these. And if somebody removes a part of it for an afternoon, nothing
 * else notices. The checks rely on the catalog, which every login may read.
 */
import { ProviderError } from '../protocol/errors.js';
import { latestMigration } from './migration-files.js';
import type { Database } from './pool.js';
import { type ConnectedRole, OLDEST_POSTGRES, tooOld, URL_SETTINGS, useAnotherLogin } from './roles.js';
import { atStart } from './store-errors.js';

export type StoreRole = Exclude<ConnectedRole, 'provider_owner'>;

/** Memberships count, because `set role` is only one statement. Returns a row per fault, and none if all is well. */
const FINDINGS = {
  name: 'preflight_findings',
  text: `
    with
      tables as (
        select c.* from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p') and (
          c.relname in ('workspace_providers', 'workspace_keys', 'provider_versions', 'provider_epoch',
            'provider_invalidations', 'resolver_workers', 'provider_rotations', 'provider_events')
          or c.relowner = to_regrole('provider_owner')
        )
      ),
      functions as (
        select p.* from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'provider_api'
      ),
      policies as (
        select p.*, t.relname from pg_policy p join tables t on t.oid = p.polrelid
      ),
      reachable as (select * from pg_roles where pg_has_role(oid, 'member'))
    select 'too_old' as finding, current_setting('server_version') as name
      where current_setting('server_version_num')::integer < ${OLDEST_POSTGRES}0000
    union select 'standby', '' where pg_is_in_recovery()
    union select 'unbound', '' from reachable where rolsuper or rolbypassrls
    union select 'unmigrated', '' where not exists (select from functions where proname = 'read_workspace')
    union select 'owner', rolname from reachable
      where oid in (select relowner from tables union select proowner from functions)
    union select 'touches_tables', relname from tables, reachable
      where has_any_column_privilege(reachable.oid, tables.oid, 'select, insert, update')
        or has_table_privilege(reachable.oid, tables.oid, 'delete, truncate')
    union select 'unforced', relname from tables where not (relrowsecurity and relforcerowsecurity)
    union select 'without_policy', relname from tables
      where not exists (select from policies where polrelid = tables.oid)
        or relname in ('workspace_providers', 'workspace_keys') and not exists (
          select from policies
          where polrelid = tables.oid and polname = 'own_workspace'
            and pg_get_expr(polqual, polrelid) like '%app.workspace_id%'
            and pg_get_expr(polwithcheck, polrelid) like '%app.workspace_id%'
        )
    union select 'opened', polname || ' on ' || relname
      from policies, unnest(polroles) as of_role, (values ('provider_owner'), ('provider_tenant')) as bound (rolname)
      where relname in ('workspace_providers', 'workspace_keys') and polpermissive and polname <> 'own_workspace'
        and (of_role = 0 or pg_has_role(to_regrole(bound.rolname), of_role, 'usage'))
    union select 'unbound_function', proname from functions join pg_roles r on r.oid = proowner
      where prosecdef and (rolsuper or rolbypassrls)
    union select 'unpinned', proname from functions
      where prosecdef and not coalesce('search_path=pg_catalog, pg_temp' = any (proconfig), false)
    union select 'forbidden', '' from functions
      where proname = case $1 when 'provider_manager' then 'put_provider' else 'register_worker' end
        and not (has_function_privilege(oid, 'execute') and has_schema_privilege(pronamespace, 'usage'))`,
};

const LATEST_MIGRATION = { name: 'latest_migration', text: 'select provider_api.latest_migration() as name' };

const MIGRATE = 'run `workspace-providers migrate`';

/** In the order in which a person would correct the faults. */
const REFUSALS: readonly (readonly [finding: string, why: (names: string, role: StoreRole) => string])[] = [
  ['too_old', (version, role) => `${tooOld(version)}, and set ${URL_SETTINGS[role]} to it`],
  [
    'standby',
    (_, role) =>
      `the server is a standby, which takes no changes: set ${URL_SETTINGS[role]} to the primary server, or try again ` +
      'when the standby was promoted',
  ],
  [
    'unbound',
    (_, role) => `the database login is, or can become, a superuser or a role with BYPASSRLS: ${useAnotherLogin(role)}`,
  ],
  ['unmigrated', () => `the database is not migrated: ${MIGRATE}`],
  [
    'owner',
    (names, role) =>
      `the database login owns tables or functions, or can become their owner (${names}): ${useAnotherLogin(role)}`,
  ],
  [
    'touches_tables',
    (names, role) =>
      `the database login can access tables (${names}): revoke its table privileges, or ${useAnotherLogin(role)}`,
  ],
  [
    'unforced',
    (names) =>
      `row-level security is not in force on ${names}: ` +
      'run `alter table … enable row level security, force row level security`',
  ],
  [
    'without_policy',
    (names) =>
      `the row-level security policy of ${names} is missing or was changed: ` +
      'create it again as in src/store/schema/0005_row_level_security.sql',
  ],
  [
    'opened',
    (names) =>
      `a policy that is not part of the schema opens row-level security (${names}): drop it, or narrow its roles`,
  ],
  [
    'unbound_function',
    (names) =>
      `row-level security does not bind the owner of ${names}: ` +
      'run `alter function provider_api.… owner to provider_owner`',
  ],
  [
    'unpinned',
    (names) =>
      `search_path is not pinned by ${names}: ` +
      'run `alter function provider_api.… set search_path = pg_catalog, pg_temp`',
  ],
  [
    'forbidden',
    (_, role) =>
      `the database login cannot ${role === 'provider_manager' ? 'manage' : 'read'} providers: grant it ${role}, or ` +
      useAnotherLogin(role),
  ],
];

/** How many names an error shows at most. */
const NAMES_SHOWN = 5;

/** @throws ProviderError `SetupInvalid` if something must be corrected first, `StoreUnavailable` */
export async function preflight(database: Database, role: StoreRole): Promise<void> {
  try {
    await check(database, role);
  } catch (error) {
    throw atStart(error);
  }
}

async function check(database: Database, role: StoreRole): Promise<void> {
  const found = await database.query<{ finding: string; name: string }>(FINDINGS, [role]);
  for (const [finding, why] of REFUSALS) {
    const names = found.filter((row) => row.finding === finding).map(({ name }) => name);
    if (names.length > 0) throw refused(why(names.sort().slice(0, NAMES_SHOWN).join(', '), role), role);
  }
  const [applied] = await database.query<{ name: string }>(LATEST_MIGRATION, []);
  // A newer database is fine: migrations are append-only, and workers are replaced one by one.
  if (!applied || applied.name < latestMigration()) {
    throw refused(`the database is older than this build: ${MIGRATE}`, role);
  }
}

export interface CheckedDatabase extends Database {
  /** Runs the check if it has not passed yet. */
  preflight(): Promise<void>;
}

/** A database that is checked before its first statement. If the check fails, it runs again before the next one. */
export function checkedFirst(database: Database, role: StoreRole): CheckedDatabase {
  let passed: Promise<void> | undefined;
  const checked = () => {
    passed ??= preflight(database, role).catch((error) => {
      passed = undefined;
      throw error;
    });
    return passed;
  };
  return {
    preflight: checked,
    close: () => database.close(),
    async query(...statement) {
      await checked();
      return database.query(...statement);
    },
  };
}

function refused(why: string, role: StoreRole): ProviderError {
  return new ProviderError('SetupInvalid', why, { fields: [URL_SETTINGS[role]] });
}
