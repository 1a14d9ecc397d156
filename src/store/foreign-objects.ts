/**
 * Finds what would stand in the way of the first migration: tables, functions and roles of a platform that have the
 * names of ours. It is looked for before anything is written, because Postgres would report only that a relation exists.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProviderError } from '../protocol/errors.js';
import type { AdministratorSession } from './administrator.js';
import { SCHEMA_FOLDER } from './migration-files.js';
import { URL_SETTINGS } from './roles.js';

const PAGE = 'docs/moving-in.md';

/** @throws ProviderError `SetupInvalid` with everything that is in the way, and what to do about it */
export async function refuseForeignObjects(session: AdministratorSession): Promise<void> {
  const { rows: found } = await session.query<{ kind: string; name: string; owner: string }>(FIND, [namesInPublic()]);
  if (found.length === 0) return;
  const problems = found.map(({ kind, name, owner }) => PROBLEMS[kind]?.(name, owner) ?? renamed(kind, name, owner));
  throw new ProviderError(
    'SetupInvalid',
    ['the database cannot be migrated. Nothing was changed', ...problems].join('\n'),
    { fields: [URL_SETTINGS.provider_owner] },
  );
}

/** The names of our tables, sequences and indexes in `public`, as the files of the schema create them. */
export function namesInPublic(): readonly string[] {
  const sql = readdirSync(SCHEMA_FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .map((name) => readFileSync(join(SCHEMA_FOLDER, name), 'utf8'))
    .join('\n');
  const created = sql.matchAll(/^create (?:table|sequence|view|type) public\.(\w+)|^create (?:unique )?index (\w+)/gm);
  return [...created].map(([, relation, index]) => relation ?? index ?? '');
}

/** A database that has our first functions is migrated: what has our names there is ours. */
const FIND = `
  with migrated as (select to_regprocedure('provider_api.latest_migration()') is not null as done)
  select case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
      when 'i' then 'index' when 'I' then 'index' when 'f' then 'foreign table' when 'c' then 'type' else 'table' end
      as kind,
    format('public.%I', c.relname) as name, pg_get_userbyid(c.relowner) as owner
  from pg_class c, migrated
  where c.relnamespace = to_regnamespace('public') and c.relname = any ($1) and not migrated.done
  union all
  select 'type', format('public.%I', t.typname), pg_get_userbyid(t.typowner)
  from pg_type t, migrated
  where t.typnamespace = to_regnamespace('public') and t.typname = any ($1) and t.typrelid = 0 and not migrated.done
  union all
  select 'schema', 'provider_api', pg_get_userbyid(n.nspowner)
  from pg_namespace n, migrated
  where n.nspname = 'provider_api' and not migrated.done and (
    exists (select from pg_proc where pronamespace = n.oid)
    or exists (select from pg_class where relnamespace = n.oid and relkind in ('r', 'p', 'v', 'm', 'f')
      and relname <> 'migrations')
  )
  union all
  -- An administrator may have created the roles, and other databases of the server share them.
  select 'role', format('%I', r.rolname), ''
  from pg_roles r, migrated
  where r.rolname in ('provider_owner', 'provider_resolver', 'provider_manager', 'provider_tenant', 'provider_auditor')
    and (r.rolcanlogin or r.rolsuper or r.rolbypassrls) and not migrated.done
  order by 1 desc, 2`;

const PROBLEMS: Readonly<Record<string, (name: string, owner: string) => string>> = {
  schema: (name, owner) =>
    `the schema ${name} (owner: ${owner}) has functions or tables that this package did not create: ` +
    `rename it, \`alter schema ${name} rename to ${name}_old\``,
  role: (name) =>
    `the role ${name} can log in or has BYPASSRLS, so it is not the role of this package, in which nobody logs in: ` +
    `rename it, \`alter role ${name} rename to ${name}_login\``,
};

function renamed(kind: string, name: string, owner: string): string {
  const table = kind.endsWith('table');
  return (
    `the ${kind} ${name} (owner: ${owner}) exists, and this package did not create it: rename it, ` +
    `\`alter ${kind} ${name} rename to ${name.replace('public.', '')}_old\`, and run this command again` +
    (table ? `; then import the providers that are in it: ${PAGE}` : '')
  );
}
