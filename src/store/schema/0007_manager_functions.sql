-- The functions of the CLI and the API, whose logins are granted provider_manager: providers, data keys, uses,
-- and what a fence reads.
-- `outer_workspace` is explained at read_workspace in 0006_resolver_functions; `outer_actor` does the same for
-- `app.actor`, which the audit records as the actor. Without `p_actor` the caller's own setting stays in effect, and
-- without that the audit records the login.
set local role provider_owner;

-- Providers.

create or replace function provider_api.list_providers(p_workspace_id text)
returns table (
  provider_type text, provider_name text, config jsonb, encrypted_config text, status text, version bigint,
  rotate_every_ms bigint, rotated_at timestamptz, last_check_outcome text, last_check_at timestamptz,
  created_at timestamptz, updated_at timestamptz, last_used_at timestamptz
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  return query
    select p.provider_type, p.provider_name, p.config, p.encrypted_config, p.status, p.version,
      (extract(epoch from p.rotate_every) * 1000)::bigint, p.rotated_at, p.last_check_outcome, p.last_check_at,
      p.created_at, p.updated_at,
      (select max(u.minute) from public.provider_use as u
        where (u.workspace_id, u.provider_type, u.provider_name) = (p.workspace_id, p.provider_type, p.provider_name))
    from public.workspace_providers as p where p.workspace_id = p_workspace_id
    order by p.provider_type, p.provider_name;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

-- Returns the new version, or null if the provider is not at `p_expected_version` (0: it must not exist). Without an
-- expected version it overwrites whatever is stored. A provider that is disabled stays disabled.
create or replace function provider_api.put_provider(
  p_workspace_id text, p_provider_type text, p_provider_name text,
  p_config jsonb, p_encrypted_config text, p_expected_version bigint, p_actor text default null,
  out new_version bigint
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
  outer_actor text := current_setting('app.actor', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  perform set_config('app.actor', coalesce(p_actor, outer_actor), true);
  if p_expected_version > 0 then
    update public.workspace_providers set config = p_config, encrypted_config = p_encrypted_config
      where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
        and version = p_expected_version
      returning version into new_version;
  else
    insert into public.workspace_providers as present
        (workspace_id, provider_type, provider_name, config, encrypted_config)
      values (p_workspace_id, p_provider_type, p_provider_name, p_config, p_encrypted_config)
      on conflict (workspace_id, provider_type, provider_name) do update
        set config = excluded.config, encrypted_config = excluded.encrypted_config
        where p_expected_version is null
      returning present.version into new_version;
  end if;
  perform set_config('app.workspace_id', outer_workspace, true);
  perform set_config('app.actor', outer_actor, true);
end $$;

-- Returns the new version, or null if there is no such provider.
create or replace function provider_api.set_provider_status(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_status text, p_actor text default null,
  out new_version bigint
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
  outer_actor text := current_setting('app.actor', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  perform set_config('app.actor', coalesce(p_actor, outer_actor), true);
  update public.workspace_providers set status = p_status
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
    returning version into new_version;
  perform set_config('app.workspace_id', outer_workspace, true);
  perform set_config('app.actor', outer_actor, true);
end $$;

create or replace function provider_api.remove_provider(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_actor text default null, out removed boolean
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
  outer_actor text := current_setting('app.actor', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  perform set_config('app.actor', coalesce(p_actor, outer_actor), true);
  delete from public.workspace_providers
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name;
  removed := found;
  perform set_config('app.workspace_id', outer_workspace, true);
  perform set_config('app.actor', outer_actor, true);
end $$;

-- Without an interval the provider is rotated only on request. `changed` is false if there is no such provider.
create or replace function provider_api.set_rotation_interval(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_rotate_every text, p_actor text default null,
  out changed boolean
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
  outer_actor text := current_setting('app.actor', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  perform set_config('app.actor', coalesce(p_actor, outer_actor), true);
  update public.workspace_providers set rotate_every = p_rotate_every::interval
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name;
  changed := found;
  perform set_config('app.workspace_id', outer_workspace, true);
  perform set_config('app.actor', outer_actor, true);
end $$;

-- A check is about one version: this does nothing if the provider is at another version by now.
create or replace function provider_api.record_check(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_version bigint, p_outcome text
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  update public.workspace_providers set last_check_outcome = p_outcome, last_check_at = now()
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
      and version = p_version;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

-- Data keys.

-- Returns the workspace's active data key: this one, or the one of a caller that was first.
create or replace function provider_api.add_data_key(
  p_workspace_id text, p_kid text, p_wrapped_key text, p_root_key_id text,
  out kid text, out wrapped_key text, out root_key_id text
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  insert into public.workspace_keys (workspace_id, kid, wrapped_key, root_key_id)
    values (p_workspace_id, p_kid, p_wrapped_key, p_root_key_id)
    on conflict do nothing;
  select k.kid, k.wrapped_key, k.root_key_id into kid, wrapped_key, root_key_id
    from public.workspace_keys as k where k.workspace_id = p_workspace_id and k.state = 'active';
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

-- Replacing the root key wraps every data key again; sealed credentials stay as they are. `rewrapped` is false if
-- another caller has wrapped the data key again since it was read.
create or replace function provider_api.rewrap_data_key(
  p_workspace_id text, p_kid text, p_present_wrapped_key text, p_wrapped_key text, p_root_key_id text,
  out rewrapped boolean
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  update public.workspace_keys set wrapped_key = p_wrapped_key, root_key_id = p_root_key_id
    where workspace_id = p_workspace_id and kid = p_kid and wrapped_key = p_present_wrapped_key;
  rewrapped := found;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

-- Crypto-shredding: what the workspace has stored can never be opened again.
create or replace function provider_api.delete_data_keys(p_workspace_id text, p_actor text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
  outer_actor text := current_setting('app.actor', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  perform set_config('app.actor', coalesce(p_actor, outer_actor), true);
  delete from public.workspace_keys where workspace_id = p_workspace_id;
  perform set_config('app.workspace_id', outer_workspace, true);
  perform set_config('app.actor', outer_actor, true);
end $$;

-- Uses.

-- Returns the workflows that used a provider, the most recent first; without a version, at any version. `p_from` and
-- `p_to` are rounded to the minutes that contain them, which are included.
create or replace function provider_api.list_provider_use(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_version bigint,
  p_from timestamptz, p_to timestamptz, p_limit integer
)
returns table (
  version bigint, workflow_type text, workflow_id text, count bigint, first_used_at timestamptz, last_used_at timestamptz
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select version, workflow_type, workflow_id, sum(count)::bigint, min(minute), max(minute) as last_used_at
  from public.provider_use
  where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
    and (p_version is null or version = p_version)
    and minute >= coalesce(date_trunc('minute', p_from), '-infinity') and minute <= coalesce(p_to, 'infinity')
  group by version, workflow_type, workflow_id
  order by last_used_at desc, version desc, workflow_type, workflow_id limit p_limit;
end;

-- Deletes up to `p_limit` rows of minutes before `p_before` and returns their number; when it is less than the limit,
-- none are left. The last use of each provider stays.
create or replace function provider_api.prune_use(p_before timestamptz, p_limit integer, out pruned bigint)
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  with
    old as (
      select ctid from public.provider_use as u
      where minute < p_before and exists (
        select from public.provider_use as later
        where (later.workspace_id, later.provider_type, later.provider_name)
            = (u.workspace_id, u.provider_type, u.provider_name)
          and later.minute > u.minute
      )
      limit p_limit
    ),
    gone as (delete from public.provider_use where ctid in (select ctid from old) returning 1)
  select count(*) from gone;
end;

-- Fences, and the janitor: only managers judge workers.

-- Returns an epoch that covers every change that was committed before the call, and the lineage in which it counts.
-- Waits up to two seconds if another caller is numbering.
create or replace function provider_api.read_epoch(out epoch bigint, out lineage uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  lineage := provider_api.present_lineage();
  perform provider_api.number_changes(true);
  select e.epoch into read_epoch.epoch from public.provider_epoch as e;
end $$;

create or replace function provider_api.list_workers()
returns table (
  worker_id text, state text, task_queue text, identity text, build text, lease_ms integer, longest_step_ms integer,
  renewal bigint, applied_epoch bigint, grant_keys text, registered_at timestamptz, heard_at timestamptz
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform provider_api.require_primary();
  return query
    select w.worker_id, w.state, w.task_queue, w.identity, w.build, w.lease_ms, w.longest_step_ms, w.renewal,
      w.applied_epoch, w.grant_keys, w.registered_at, w.heard_at
    from public.resolver_workers as w order by w.registered_at, w.worker_id;
end $$;

-- Drains. Returns the workers whose steps may hold a version of the provider below `p_version`, after a fence of
-- `p_epoch`. A worker that had applied that epoch when it last renewed reported then which older versions it held. Of the
-- others, `held` is empty: it is not known. Without a type and a name, every provider of the workspace; without a
-- version, every version.
create or replace function provider_api.list_holders(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_version bigint, p_epoch bigint
)
returns table (worker_id text, identity text, held jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform provider_api.require_primary();
  return query
    select worker.worker_id, worker.identity, coalesce(older.versions, '[]')
    from public.resolver_workers as worker, lateral (
      select jsonb_agg(jsonb_build_object('version', step.version, 'count', step.count, 'longestMs', step.longest_ms
          + greatest(0, round(extract(epoch from clock_timestamp() - worker.heard_at) * 1000)))
        order by step.version) as versions
      from jsonb_to_recordset(worker.held) as step (
        workspace_id text, provider_type text, provider_name text, version bigint, count bigint, longest_ms bigint
      )
      where worker.applied_epoch >= p_epoch and step.workspace_id = p_workspace_id
        and (p_provider_type is null or step.provider_type = p_provider_type)
        and (p_provider_name is null or step.provider_name = p_provider_name)
        and (p_version is null or step.version < p_version)
    ) as older
    where worker.applied_epoch < p_epoch or worker.held is null or older.versions is not null
    order by worker.registered_at, worker.worker_id;
end $$;

-- Marks only the workers that have not renewed since they were listed: one that has just returned keeps its lease. The
-- row of unknown workers (present_lineage in 0011_lineage) has served its purpose then.
create or replace function provider_api.mark_vanished(p_worker_ids text[], p_renewals bigint[]) returns setof text
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  with cleared as (
    delete from public.resolver_workers as unknown
    using unnest(p_worker_ids, p_renewals) as seen (worker_id, renewal)
    where unknown.worker_id = seen.worker_id and unknown.renewal = seen.renewal and unknown.token_hash is null
    returning unknown.worker_id
  )
  select setval('public.resolver_longest_lease', longest)
  from cleared, (select max(lease_ms) as longest from public.resolver_workers where token_hash is not null) as known
  where longest is not null;
  update public.resolver_workers as worker set state = 'vanished'
    from unnest(p_worker_ids, p_renewals) as seen (worker_id, renewal)
    where worker.worker_id = seen.worker_id and worker.renewal = seen.renewal and worker.state = 'live'
    returning worker.worker_id;
end;

create or replace function provider_api.forget_workers(p_worker_ids text[], p_renewals bigint[]) returns setof text
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  delete from public.resolver_workers as worker
    using unnest(p_worker_ids, p_renewals) as seen (worker_id, renewal)
    where worker.worker_id = seen.worker_id and worker.renewal = seen.renewal and worker.state = 'vanished'
    returning worker.worker_id;
end;

reset role;
