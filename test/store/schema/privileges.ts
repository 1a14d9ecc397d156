/**
 * Lists every grant and every policy on the objects of the schema, as text. The list is compared with `privileges.txt`,
 * so that a new grant appears in the diff that a reviewer reads. To update the file, run
 * `vitest run test/store/schema/roles.integration.test.ts -u`.
 */
import type pg from 'pg';

/** Omits the rights of superusers, which no grant can limit, and an owner's right to call its own functions. */
const PRIVILEGES = `
  with
    ours as (select oid from pg_namespace where nspname in ('public', 'provider_api')),
    acls as (
      select 'schema ' || nspname as object, nspowner as owner, nspacl as acl, null::text as col
      from pg_namespace where nspname = 'provider_api'
      union all
      select case relkind when 'S' then 'sequence ' else 'table ' end || relname, relowner,
        coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner)), null
      from pg_class where relnamespace in (select * from ours) and relkind in ('r', 'p', 'v', 'm', 'S')
      union all
      select 'table ' || relname, relowner, attacl, attname
      from pg_attribute join pg_class on pg_class.oid = attrelid
      where relnamespace in (select * from ours) and attacl is not null and not attisdropped
      union all
      select 'function ' || replace(oid::regprocedure::text, 'provider_api.', ''), proowner,
        coalesce(proacl, acldefault('f', proowner)), null
      from pg_proc where pronamespace in (select * from ours)
    ),
    grants as (
      select object, owner, case grantee when 0 then 'public' else grantee::regrole::text end as role,
        lower(privilege_type) || coalesce(' (' || string_agg(col, ', ' order by col) || ')', '') as privilege
      from acls, aclexplode(acl)
      where privilege_type not in ('REFERENCES', 'TRIGGER', 'MAINTAIN')
        and grantee not in (select oid from pg_roles where rolsuper)
        and not (grantee = owner and object like 'function %')
      group by object, owner, grantee, privilege_type, col is null
    )
  select object || ' of ' || case when rolsuper then 'the migrating login' else rolname end
    || ': ' || role || ': ' || string_agg(privilege, ', ' order by privilege) as line
  from grants join pg_roles on pg_roles.oid = owner
  group by object, owner, rolname, rolsuper, role
  order by object collate "C", role`;

const POLICIES = `
  select 'policy ' || tablename || ': ' || policyname || ' for ' || lower(cmd) || ' to ' || array_to_string(roles, ', ')
    || coalesce(' using ' || qual, '') || coalesce(' with check ' || with_check, '') as line
  from pg_policies order by tablename collate "C", policyname collate "C"`;

export async function listPrivileges(session: pg.Client): Promise<string> {
  const lines: string[] = [];
  for (const query of [PRIVILEGES, POLICIES]) {
    const { rows } = await session.query<{ line: string }>(query);
    lines.push(...rows.map(({ line }) => line));
  }
  return `${lines.join('\n')}\n`;
}
