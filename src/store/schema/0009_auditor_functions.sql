-- The functions that read every workspace. Managers call them, and workers one of them. They run as provider_auditor
-- (0012_grants makes it their owner). It may read only the columns that these functions return, none of which is a sealed
-- credential, and it may change nothing.
set local role provider_owner;

-- For schedules. Both lists have the providers that their workspaces added first, then the second ones, and so on: a
-- workspace with many providers does not delay the others. A provider keeps its turn. Both lists continue after the given
-- key; turn 0 starts from the first provider. The order is that of an index, so a page costs what it reads.

-- Providers that are due and have no rotation under way.
create or replace function provider_api.list_due_rotations(
  p_turn bigint, p_workspace_id text, p_provider_type text, p_provider_name text, p_limit integer
)
returns table (turn bigint, workspace_id text, provider_type text, provider_name text, version bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select p.turn, p.workspace_id, p.provider_type, p.provider_name, p.version
  from public.workspace_providers as p
  where (p.turn, p.workspace_id, p.provider_type, p.provider_name)
      > (p_turn, p_workspace_id, p_provider_type, p_provider_name)
    and provider_api.is_due(p.status, p.rotated_at, p.rotate_every)
    and not exists (
      select from public.provider_rotations as r
      where (r.workspace_id, r.provider_type, r.provider_name) = (p.workspace_id, p.provider_type, p.provider_name)
        and r.ended_at is null and r.workflow_id is not null
    )
  order by p.turn, p.workspace_id, p.provider_type, p.provider_name limit p_limit;
end;

create or replace function provider_api.list_active_providers(
  p_turn bigint, p_workspace_id text, p_provider_type text, p_provider_name text, p_limit integer
)
returns table (turn bigint, workspace_id text, provider_type text, provider_name text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select p.turn, p.workspace_id, p.provider_type, p.provider_name
  from public.workspace_providers as p
  where (p.turn, p.workspace_id, p.provider_type, p.provider_name)
      > (p_turn, p_workspace_id, p_provider_type, p_provider_name)
    and p.status = 'active'
  order by p.turn, p.workspace_id, p.provider_type, p.provider_name limit p_limit;
end;

-- The number of overdue rotations that were already reported and are still due.
create or replace function provider_api.count_overdue(out overdue bigint)
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

-- For the metrics of the worker of rotations: of the active credentials with an interval, by type, the age of the oldest
-- one, and the number of those that are due. It reads an index.
create or replace function provider_api.credential_ages()
returns table (provider_type text, oldest_ms bigint, overdue bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select p.provider_type, (extract(epoch from now() - min(p.rotated_at)) * 1000)::bigint,
    count(*) filter (where provider_api.is_due(p.status, p.rotated_at, p.rotate_every))
  from public.workspace_providers as p
  where p.status = 'active' and p.rotate_every is not null
  group by p.provider_type;
end;

-- For a person who watches: the active providers that need somebody, up to the limit for each trouble, with the time
-- since when. Returns one of:
--   `overdue`     the credential is older than its rotation interval; since it was replaced
--   `rejected`    the service refused this version, and has not accepted it since
--   `unreadable`  a worker could not open this version, and no check has answered since
create or replace function provider_api.list_troubled_providers(p_limit integer)
returns table (
  trouble text, workspace_id text, provider_type text, provider_name text, version bigint, since timestamptz,
  rotate_every_ms bigint
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  (select 'overdue', p.workspace_id, p.provider_type, p.provider_name, p.version, p.rotated_at,
    (extract(epoch from p.rotate_every) * 1000)::bigint
  from public.workspace_providers as p
  where p.rotate_every is not null and provider_api.is_due(p.status, p.rotated_at, p.rotate_every)
  order by p.turn, p.workspace_id, p.provider_type, p.provider_name limit p_limit)
  union all
  (select 'rejected', p.workspace_id, p.provider_type, p.provider_name, p.version, p.last_check_at, null
  from public.workspace_providers as p
  where p.last_check_outcome = 'rejected' and p.status = 'active'
  order by p.workspace_id, p.provider_type, p.provider_name limit p_limit)
  union all
  (select 'unreadable', p.workspace_id, p.provider_type, p.provider_name, p.version, e.at, null
  from public.provider_events as e join public.workspace_providers as p
    on (e.workspace_id, e.provider_type, e.provider_name, e.version)
      = (p.workspace_id, p.provider_type, p.provider_name, p.version)
  where e.event = 'credential-unreadable' and p.status = 'active' and (p.last_check_at > e.at) is not true
  order by p.workspace_id, p.provider_type, p.provider_name limit p_limit);
end;

-- For replacing the root key. Continues after the given workspace and kid; empty texts start from the first data key.
create or replace function provider_api.list_data_keys(p_workspace_id text, p_kid text, p_limit integer)
returns table (workspace_id text, kid text, wrapped_key text, root_key_id text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select k.workspace_id, k.kid, k.wrapped_key, k.root_key_id from public.workspace_keys as k
  where (k.workspace_id, k.kid) > (p_workspace_id, p_kid)
  order by k.workspace_id, k.kid limit p_limit;
end;

-- For the start of a worker, which tries whether its root keys open them.
create or replace function provider_api.sample_data_keys()
returns table (workspace_id text, kid text, wrapped_key text, root_key_id text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select k.workspace_id, k.kid, k.wrapped_key, k.root_key_id from public.workspace_keys as k
  order by k.workspace_id, k.kid limit 3;
end;

-- For people. Both lists begin with the newest; without a workspace they cover all of them.

create or replace function provider_api.list_rotations(p_workspace_id text, p_limit integer)
returns table (
  rotation_id text, workspace_id text, provider_type text, provider_name text, state text, origin text,
  workflow_id text, from_version bigint, to_version bigint, rolled_back boolean, reason text, requested_by text,
  created_at timestamptz, updated_at timestamptz, ended_at timestamptz
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select rotation_id, workspace_id, provider_type, provider_name, state, origin, workflow_id, from_version, to_version,
    rolled_back, reason, requested_by, created_at, updated_at, ended_at
  from public.provider_rotations
  where p_workspace_id is null or workspace_id = p_workspace_id
  order by created_at desc, rotation_id limit p_limit;
end;

-- Without a type and a name: the events of all providers, and of data keys. A truncate and a restore appear in every list.
create or replace function provider_api.list_provider_events(
  p_workspace_id text, p_limit integer, p_provider_type text default null, p_provider_name text default null
)
returns table (
  event_id bigint, at timestamptz, workspace_id text, provider_type text, provider_name text, version bigint, event text,
  actor text, details jsonb, workflow_id text, login text, application text, client_address text
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select event_id, at, workspace_id, provider_type, provider_name, version, event, actor, details, workflow_id, login,
    application, host(client_address)
  from public.provider_events
  where (p_workspace_id is null or workspace_id in (p_workspace_id, '*'))
    and (p_provider_type is null or provider_type = p_provider_type or provider_type is null and event in ('truncated', 'restored'))
    and (p_provider_name is null or provider_name = p_provider_name or provider_name is null and event in ('truncated', 'restored'))
  order by event_id desc limit p_limit;
end;

reset role;
