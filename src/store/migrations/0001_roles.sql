-- Who may do what. Four roles that nobody logs in as: a service's own login is granted one of them.
--   provider_owner     owns tables and functions, and is bound by row-level security like everyone else
--   provider_resolver  a worker: reads a workspace through one function, touches no table
--   provider_manager   the CLI and the API: changes providers through functions, touches no table
--   provider_tenant    other services of the platform: tables, within the workspace that `app.workspace_id` names
-- The migrating login needs no superuser: CREATEROLE and owning the database suffice; or an administrator creates
-- the four roles beforehand and grants it provider_owner.
do $$
declare
  role_name text;
begin
  foreach role_name in array array['provider_owner', 'provider_resolver', 'provider_manager', 'provider_tenant'] loop
    -- Looked up first: without CREATEROLE the attempt alone would fail. Roles are shared by all databases of a server,
    -- and a migration of another one may win the race.
    if not exists (select from pg_roles where rolname = role_name) then
      begin
        execute format('create role %I nologin', role_name);
      exception when duplicate_object or unique_violation then null;
      end;
    end if;
  end loop;

  if not pg_has_role('provider_owner', 'usage') then
    execute format('grant provider_owner to %I', current_user);
  end if;
end $$;

grant usage, create on schema public to provider_owner;
grant usage on schema public to provider_tenant;
grant usage, create on schema provider_api to provider_owner;
grant usage on schema provider_api to provider_resolver, provider_manager;
grant select on provider_api.migrations to provider_owner;

-- Everything is created as provider_owner: default privileges that a platform hung on the migrating login (Supabase
-- opens each new table of `postgres` in `public` to its web roles) then never apply.
set local role provider_owner;
alter default privileges revoke execute on functions from public;

create function provider_api.latest_migration() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select name from provider_api.migrations order by name desc limit 1;
end;

grant execute on function provider_api.latest_migration() to provider_resolver, provider_manager;
reset role;
