/**
 * The query behind the preflight. It reads only the catalog, which every login may read. Memberships count, because
 * `set role` is only one statement. Returns a row per fault, and none if all is well.
 */

import { OLDEST_POSTGRES } from './roles.js';

/** What the schema grants (`0012_grants.sql`), and the optional file for Supabase. Everything else is a fault. */
const GRANTED = `
      grantee in (select oid from pg_roles where rolsuper)
      or grantee = owner
      or object = 'provider_api' and (
        role = 'provider_owner' or privilege = 'USAGE'
          and role in ('provider_resolver', 'provider_manager', 'provider_tenant', 'provider_auditor'))
      or kind = 'function' and (
        role in ('provider_manager', 'provider_auditor')
        or role = 'provider_resolver' and object in ('read_workspace', 'latest_migration', 'register_worker',
          'renew_lease', 'deregister_worker', 'record_use', 'record_unreadable', 'sample_data_keys',
          'list_workers')
        or role = 'provider_tenant' and object in ('remove_own_provider', 'add_own_data_key'))
      or role = 'provider_tenant' and kind = 'table' and privilege = 'SELECT'
        and object in ('workspace_providers', 'workspace_keys', 'provider_events', 'provider_use')
      or role = 'provider_tenant' and kind = 'column' and object = 'workspace_providers' and (
        col in ('config', 'encrypted_config', 'status', 'rotate_every') and privilege in ('INSERT', 'UPDATE')
        or col in ('workspace_id', 'provider_type', 'provider_name') and privilege = 'INSERT')
      or role = 'provider_auditor' and privilege = 'SELECT' and (
        kind = 'table' and object = 'provider_events'
        or kind = 'column' and object in ('workspace_providers', 'workspace_keys', 'provider_rotations')
          and col not in ('config', 'encrypted_config', 'next_encrypted_config', 'previous_encrypted_config'))
      or kind = 'column' and privilege = 'SELECT' and object in ('workspace_providers', 'provider_events')
        and col not in ('encrypted_config', 'key_id', 'actor', 'login', 'application', 'client_address', 'details')
        and exists (select from policies where relname = object and polname = 'own_workspace_by_claim'
          and polroles = array[grantee])`;

export const FINDINGS = {
  name: 'preflight_findings',
  text: `
    with
      tables as (
        select c.* from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p') and (
          c.relname in ('workspace_providers', 'workspace_keys', 'provider_versions', 'provider_changes', 'provider_epoch',
            'provider_invalidations', 'resolver_workers', 'provider_rotations', 'provider_events', 'provider_use')
          or c.relowner = to_regrole('provider_owner')
        )
      ),
      functions as (
        select p.* from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'provider_api'
      ),
      policies as (
        select p.*, t.relname from pg_policy p join tables t on t.oid = p.polrelid
      ),
      acls as (
        select 'table' as kind, relname as object, null as col, relowner as owner, relacl as acl from tables
        union all select 'column', relname, attname, relowner, attacl
          from tables join pg_attribute on attrelid = tables.oid where attacl is not null and not attisdropped
        union all select 'sequence', c.relname, null, c.relowner, c.relacl from pg_class c
          where c.relkind = 'S' and c.relnamespace = 'public'::regnamespace and c.relowner = to_regrole('provider_owner')
        union all select 'function', proname, null, proowner, coalesce(proacl, acldefault('f', proowner)) from functions
        union all select 'schema', nspname, null, nspowner, nspacl from pg_namespace where nspname = 'provider_api'
      ),
      rights as (
        select kind, object, col, owner, grantee, privilege_type as privilege,
          case grantee when 0 then 'public' else grantee::regrole::text end as role
        from acls, aclexplode(acl)
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
    union select 'opened', polname || ' on ' || relname from policies
      where polname not in ('own_workspace', 'auditor_reads', 'only_functions', 'only_triggers', 'functions_read',
          'functions_append')
        and not (polname = 'own_workspace_by_claim' and polcmd = 'r'
          and pg_get_expr(polqual, polrelid) like '%app_metadata%')
    union select 'granted', role || ' on ' || object from rights where (${GRANTED}
    ) is not true
    union select 'granted_by_default', defaclrole::regrole::text from pg_default_acl, aclexplode(defaclacl)
      where defaclrole in (to_regrole('provider_owner'), to_regrole('provider_auditor')) and grantee <> defaclrole
    union select 'trigger_off', tgname || ' on ' || relname from tables join pg_trigger on tgrelid = tables.oid
      where not tgisinternal and tgenabled <> 'A'
    union select 'trigger_off', wanted.name || ' on ' || relname from tables join (values
        ('workspace_providers', 'raise_version'), ('workspace_providers', 'keep_version'),
        ('workspace_providers', 'note_change'), ('workspace_providers', 'note_update'),
        ('workspace_providers', 'note_truncate'), ('workspace_providers', 'record_change'),
        ('workspace_keys', 'note_delete'), ('workspace_keys', 'note_truncate'), ('workspace_keys', 'record_change'),
        ('provider_rotations', 'record_stage'), ('provider_events', 'append_only')
      ) as wanted (of_table, name) on wanted.of_table = relname
      where not exists (select from pg_trigger where tgrelid = tables.oid and tgname = wanted.name)
    union select 'unbound_function', proname from functions join pg_roles r on r.oid = proowner
      where prosecdef and (rolsuper or rolbypassrls)
    union select 'unpinned', proname from functions
      where prosecdef and not coalesce('search_path=pg_catalog, pg_temp' = any (proconfig), false)
    union select 'forbidden', '' from functions
      where proname = case $1 when 'provider_manager' then 'put_provider' else 'register_worker' end
        and not (has_function_privilege(oid, 'execute') and has_schema_privilege(pronamespace, 'usage'))`,
};
