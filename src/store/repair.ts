/**
 * Takes away the rights that were granted beside those of the schema, and puts the schema's own functions, triggers,
 * policies and rights back. It changes no row, and the migrations that were applied stay applied.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type AdministratorSession, withAdministrator } from './administrator.js';
import { SCHEMA_FOLDER } from './migration-files.js';
import { FINDINGS } from './preflight-findings.js';
import { asksToRepeat } from './store-errors.js';

/** What a repair corrects. The other faults that a preflight finds are about a login, or need a migration. */
const REPAIRED: Readonly<Record<string, string>> = {
  granted: 'a right beside those of the schema',
  granted_by_default: 'default privileges that open new objects',
  opened: 'a policy that is not part of the schema',
  unforced: 'row-level security that is not in force',
  without_policy: 'a policy that is missing or was changed',
  trigger_off: 'a trigger that is missing or not in force',
  unbound_function: 'a function whose owner row-level security does not bind',
  unpinned: 'a function whose search_path is not pinned',
};

/** The only file that may not run again: the others replace what is there. */
const TABLES = '0002_tables.sql';

export interface Fault {
  /** What is wrong. */
  readonly fault: string;
  /** Where: a role and an object, a policy and a table, or a table. */
  readonly where: string;
}

/** @throws ProviderError `SetupInvalid`, `StoreUnavailable` */
export function findFaults(databaseUrl: string): Promise<readonly Fault[]> {
  return withAdministrator(databaseUrl, listFaults);
}

/**
 * @param databaseUrl - for the login that migrates
 * @param lockedWithinMs - how long to try to lock the tables. Default: a minute
 * @returns the faults that are left, which a repair cannot correct: a policy on a table of
 *   another owner, for example
 * @throws ProviderError `SetupInvalid`, `StoreUnavailable`; nothing was changed then
 */
export function repair(databaseUrl: string, lockedWithinMs = LOCKED_WITHIN_MS): Promise<readonly Fault[]> {
  return withAdministrator(databaseUrl, async (session) => {
    await inTransaction(session, lockedWithinMs, async () => {
      await session.query(TAKE_AWAY);
      for (const file of readdirSync(SCHEMA_FOLDER).sort()) {
        if (file !== TABLES) await session.query(readFileSync(join(SCHEMA_FOLDER, file), 'utf8'));
      }
    });
    return listFaults(session);
  });
}

/**
 * Runs `work` in a transaction that has locked every table first. Workers lock the tables in other orders, so whoever
 * waits for one while it holds another may be in a deadlock with them, and would stop them in any case: the locks are
 * let go after a moment, and taken again.
 *
 * @throws the error of Postgres: of a lock time-out, if a session holds a table for longer
 */
async function inTransaction(
  session: AdministratorSession,
  lockedWithinMs: number,
  work: () => Promise<void>,
): Promise<void> {
  const startMs = performance.now();
  for (;;) {
    try {
      await session.query(`begin; set local lock_timeout = ${LOCK_WITHIN_MS}`);
      await session.query(LOCK_TABLES);
      await session.query('set local lock_timeout = 0');
      await work();
      await session.query('commit');
      return;
    } catch (error) {
      await session.query('rollback').catch(() => {});
      if (!isOfLocks(error) || performance.now() - startMs > lockedWithinMs) throw error;
      await delay(LOCK_WITHIN_MS * Math.random());
    }
  }
}

/** Less than Postgres takes to look for a deadlock, which it may end by an error of a worker. */
const LOCK_WITHIN_MS = 500;
const LOCKED_WITHIN_MS = 60_000;

function isOfLocks(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '55P03' || asksToRepeat(error));
}

/** As their owner, who alone may lock them. */
const LOCK_TABLES = `
  do $$
  declare
    tables text;
  begin
    select string_agg(oid::regclass::text, ', ' order by relname) into tables from pg_class
      where relkind in ('r', 'p') and relowner = 'provider_owner'::regrole;
    set local role provider_owner;
    execute format('lock table %s in access exclusive mode', tables);
    reset role;
  end $$`;

async function listFaults(session: AdministratorSession): Promise<readonly Fault[]> {
  const { rows } = await session.query<{ finding: string; name: string }>(FINDINGS.text, ['provider_manager']);
  return rows.flatMap(({ finding, name }) => {
    const fault = REPAIRED[finding];
    return fault ? [{ fault, where: name }] : [];
  });
}

/** Rights are revoked as the owner who can; a right that its holder has granted on goes with it. */
const TAKE_AWAY = `
  do $$
  declare
    each record;
  begin
    for each in
      select format('revoke all on %s %s from %s cascade', kind, name, role) as statement, owner::regrole as owner
      from (
        select case c.relkind when 'S' then 'sequence' else 'table' end as kind, c.oid::regclass::text as name,
          c.relowner as owner, acl.grantee
        from pg_class c, aclexplode(c.relacl) as acl
        where c.relkind in ('r', 'p', 'S') and c.relowner = 'provider_owner'::regrole
        union
        select 'table', c.oid::regclass::text, c.relowner, acl.grantee
        from pg_class c join pg_attribute a on a.attrelid = c.oid, aclexplode(a.attacl) as acl
        where c.relkind in ('r', 'p') and c.relowner = 'provider_owner'::regrole
        union
        select 'function', p.oid::regprocedure::text, p.proowner, acl.grantee
        from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as acl
        where p.pronamespace = 'provider_api'::regnamespace
        union
        select 'schema', n.nspname::text, n.nspowner, acl.grantee
        from pg_namespace n, aclexplode(n.nspacl) as acl where n.nspname = 'provider_api'
      ) as held
      cross join lateral (
        select case grantee when 0 then 'public' else grantee::regrole::text end as role
      ) as named
      where grantee <> owner and not (kind = 'schema' and role = 'provider_owner')
      -- Last: an owner of functions needs the schema to revoke rights on them.
      order by kind = 'schema'
    loop
      execute format('set local role %s', each.owner);
      execute each.statement;
      reset role;
    end loop;

    for each in
      select format('alter default privileges for role %s %s revoke all on %s from %s', defaclrole::regrole,
          case when defaclnamespace <> 0 then format('in schema %s', defaclnamespace::regnamespace) end,
          case defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
            when 'T' then 'types' else 'schemas' end,
          case grantee when 0 then 'public' else grantee::regrole::text end) as statement
      from pg_default_acl, aclexplode(defaclacl)
      where defaclrole in ('provider_owner'::regrole, 'provider_auditor'::regrole) and grantee <> defaclrole
    loop
      execute each.statement;
    end loop;

    -- Only its owner can replace a function. The last file gives some of them to the auditor again.
    for each in
      select format('alter function %s owner to provider_owner', oid::regprocedure) as statement from pg_proc
      where pronamespace = 'provider_api'::regnamespace and proowner <> 'provider_owner'::regrole
        and pg_has_role(proowner, 'member')
    loop
      execute each.statement;
    end loop;

    set local role provider_owner;
    for each in
      select format('drop policy %I on %s', polname, polrelid::regclass) as statement
      from pg_policy join pg_class c on c.oid = polrelid where c.relowner = 'provider_owner'::regrole
      union all
      select format('alter table %s enable always trigger %I', tgrelid::regclass, tgname)
      from pg_trigger join pg_class c on c.oid = tgrelid
      where c.relowner = 'provider_owner'::regrole and not tgisinternal and tgenabled <> 'A'
    loop
      execute each.statement;
    end loop;
    reset role;
  end $$`;
