-- The roles. Nobody logs in as one of them: an administrator grants each service's login the one role that it needs.
--   provider_owner     owns the tables and most functions; row-level security binds it like everyone else
--   provider_resolver  workers: read one workspace per call, through functions; may not touch a table
--   provider_manager   the CLI and the API: change providers through functions; may not touch a table
--   provider_tenant    other services of the platform: use the tables, within the workspace in `app.workspace_id`
--   provider_auditor   owns the functions that read every workspace; it is granted to no service
-- The login that migrates need not be a superuser. It must own the database, and either have CREATEROLE, or an
-- administrator has created the roles and granted it provider_owner and provider_auditor.
do $$
declare
  role_name text;
begin
  foreach role_name in array array[
    'provider_owner', 'provider_resolver', 'provider_manager', 'provider_tenant', 'provider_auditor'
  ] loop
    -- A login without CREATEROLE may not even try to create a role that exists, so check first.
    if not exists (select from pg_roles where rolname = role_name) then
      begin
        execute format('create role %I nologin', role_name);
      -- All databases of a server share the roles: the migration of another database may have just created this one.
      exception when duplicate_object or unique_violation then null;
      end;
    end if;
  end loop;

  foreach role_name in array array['provider_owner', 'provider_auditor'] loop
    if not pg_has_role(role_name, 'usage') then
      execute format('grant %I to %I', role_name, current_user);
    end if;
  end loop;
end $$;

-- The other files create every object as provider_owner. Default privileges that a platform has attached to the
-- migrating login then do not apply (Supabase, for example, opens each new table of `postgres` in `public` to its web
-- roles).
grant usage, create on schema public, provider_api to provider_owner;

-- A new function is closed to everyone until 0012_grants opens it.
alter default privileges for role provider_owner, provider_auditor revoke execute on functions from public;
