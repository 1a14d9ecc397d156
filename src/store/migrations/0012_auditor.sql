-- Looking over every workspace is a role and no longer a setting, which whoever runs SQL as the owner could have made:
-- a definer function that was taken over, or forgot to put it back. Nobody is granted the role, it owns the functions
-- that look, and it may read the columns that they hand out, no sealed one among them: docs/adr/0010.
do $$
begin
  if not exists (select from pg_roles where rolname = 'provider_auditor') then
    begin
      create role provider_auditor nologin;
    exception when duplicate_object or unique_violation then null;
    end;
  end if;
  if not pg_has_role('provider_auditor', 'usage') then
    execute format('grant provider_auditor to %I', current_user);
  end if;
end $$;

grant usage on schema public to provider_auditor;
-- To create is for the length of this migration.
grant usage, create on schema provider_api to provider_auditor;

set local role provider_owner;

drop policy every_workspace on public.workspace_providers;
drop policy every_workspace on public.workspace_keys;
drop function provider_api.list_due_rotations(text, text, text, integer);
drop function provider_api.list_active_providers(text, text, text, integer);
drop function provider_api.count_overdue();
drop function provider_api.list_data_keys(text, text, integer);

grant select (workspace_id, provider_type, provider_name, status, version, rotate_every, rotated_at)
  on public.workspace_providers to provider_auditor;
grant select (workspace_id, kid, wrapped_key, root_key_id) on public.workspace_keys to provider_auditor;
grant select (
  rotation_id, workspace_id, provider_type, provider_name, state, origin, workflow_id, from_version, to_version,
  rolled_back, reason, requested_by, created_at, updated_at, ended_at
) on public.provider_rotations to provider_auditor;
-- Nothing in it was ever a secret.
grant select on public.provider_events to provider_auditor;

create policy auditor_reads on public.workspace_providers for select to provider_auditor using (true);
create policy auditor_reads on public.workspace_keys for select to provider_auditor using (true);
create policy auditor_reads on public.provider_rotations for select to provider_auditor using (true);
create policy auditor_reads on public.provider_events for select to provider_auditor using (true);

-- By column, since a whole row has the sealed one in it.
create function provider_api.is_due(p_status text, p_rotated_at timestamptz, p_rotate_every interval) returns boolean
language sql stable
return p_status = 'active' and p_rotated_at <= now() - p_rotate_every;
create or replace function provider_api.is_due(p public.workspace_providers) returns boolean
language sql stable
return provider_api.is_due(p.status, p.rotated_at, p.rotate_every);
grant execute on function provider_api.is_due(text, timestamptz, interval) to provider_auditor;

reset role;
set local role provider_auditor;
alter default privileges revoke execute on functions from public;

-- As before: those of which no rotation is under way, after the given one in the order of their keys.
create function provider_api.list_due_rotations(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_limit integer
)
returns table (workspace_id text, provider_type text, provider_name text, version bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select p.workspace_id, p.provider_type, p.provider_name, p.version
  from public.workspace_providers as p
  where (p.workspace_id, p.provider_type, p.provider_name) > (p_workspace_id, p_provider_type, p_provider_name)
    and provider_api.is_due(p.status, p.rotated_at, p.rotate_every)
    and not exists (
      select from public.provider_rotations as r
      where (r.workspace_id, r.provider_type, r.provider_name) = (p.workspace_id, p.provider_type, p.provider_name)
        and r.ended_at is null and r.workflow_id is not null
    )
  order by p.workspace_id, p.provider_type, p.provider_name limit p_limit;
end;

create function provider_api.list_active_providers(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_limit integer
)
returns table (workspace_id text, provider_type text, provider_name text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select p.workspace_id, p.provider_type, p.provider_name
  from public.workspace_providers as p
  where (p.workspace_id, p.provider_type, p.provider_name) > (p_workspace_id, p_provider_type, p_provider_name)
    and p.status = 'active'
  order by p.workspace_id, p.provider_type, p.provider_name limit p_limit;
end;

create function provider_api.count_overdue(out overdue bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select count(*) from public.workspace_providers as p
  where provider_api.is_due(p.status, p.rotated_at, p.rotate_every) and exists (
    select from public.provider_events as e
    where (e.workspace_id, e.provider_type, e.provider_name, e.version)
        = (p.workspace_id, p.provider_type, p.provider_name, p.version)
      and e.event = 'rotation-overdue'
  );
end;

create function provider_api.list_data_keys(p_workspace_id text, p_kid text, p_limit integer)
returns table (workspace_id text, kid text, wrapped_key text, root_key_id text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select k.workspace_id, k.kid, k.wrapped_key, k.root_key_id from public.workspace_keys as k
  where (k.workspace_id, k.kid) > (p_workspace_id, p_kid)
  order by k.workspace_id, k.kid limit p_limit;
end;

grant execute on function
  provider_api.list_due_rotations(text, text, text, integer),
  provider_api.list_active_providers(text, text, text, integer),
  provider_api.count_overdue(),
  provider_api.list_data_keys(text, text, integer)
to provider_manager;

reset role;
-- Those two look over every workspace as well, where none is named.
alter function provider_api.list_rotations(text, integer) owner to provider_auditor;
alter function provider_api.list_provider_events(text, integer) owner to provider_auditor;
revoke create on schema provider_api from provider_auditor;
