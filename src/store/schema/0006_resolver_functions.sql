-- The functions of workers, whose logins are granted provider_resolver and cannot touch a table. Row-level security is
-- in force inside the functions.
set local role provider_owner;

-- The preflight compares the result with the newest migration of the build that runs it.
create function provider_api.latest_migration() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select name from provider_api.migrations order by name desc limit 1;
end;

-- `outer_workspace`, here and in every other function that works within one workspace: the function sets
-- `app.workspace_id`, which row-level security compares with each row (0005_row_level_security), and at its end sets it
-- back. Otherwise the setting would last until the end of the caller's transaction, and a caller that has set it for
-- its own statements would continue in another workspace. After an error, the rollback restores it. The tidy way would
-- be `set app.workspace_id = ''` in the function's header, which Postgres undoes by itself, but Postgres refuses that
-- to non-superusers ("permission denied to set parameter"), and the login that migrates need not be a superuser.

-- Returns what a workspace has stored, in one round trip and one snapshot, with that snapshot's epoch. The active data
-- key, which seals, comes first.
create function provider_api.read_workspace(
  p_workspace_id text, out epoch bigint, out data_keys json, out providers json
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
-- Both lookups are by key, so one plan fits every workspace. On small tables Postgres would otherwise plan each call,
-- which takes as long as the reads.
set plan_cache_mode = force_generic_plan as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  select e.epoch,
    (select coalesce(json_agg(k), '[]') from (
      select kid, wrapped_key, root_key_id
      from public.workspace_keys where workspace_id = p_workspace_id
      order by state = 'active' desc, created_at desc, kid
    ) as k),
    (select coalesce(json_agg(p), '[]') from (
      select provider_type, provider_name, config, encrypted_config, status, version
      from public.workspace_providers where workspace_id = p_workspace_id
      order by provider_type, provider_name
    ) as p)
  from public.provider_epoch as e
  into epoch, data_keys, providers;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

-- Leases. The protocol is in docs/fence.md.

-- Grants no lease: the worker must renew first, after this has been committed. A worker that was marked as vanished
-- gets its row back.
create function provider_api.register_worker(
  p_worker_id text, p_task_queue text, p_identity text, p_build text, p_lease_ms integer, p_longest_step_ms integer
) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into public.resolver_workers as present
      (worker_id, task_queue, identity, build, lease_ms, longest_step_ms, renewal)
    values (p_worker_id, p_task_queue, p_identity, p_build, p_lease_ms, p_longest_step_ms,
      nextval('public.resolver_renewals'))
    on conflict (worker_id) do update set state = 'live', renewal = excluded.renewal, heard_at = now()
    where present.state = 'vanished';
end;

-- Records what the worker has applied so far and returns the workspaces that changed since. `renewed` is false if the
-- worker's row is gone, and with it the lease. `changed` is null if the list would be too long or does not go back far
-- enough: everything may have changed.
create function provider_api.renew_lease(
  p_worker_id text, p_applied_epoch bigint, out renewed boolean, out epoch bigint, out changed text[]
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update public.resolver_workers
    set renewal = nextval('public.resolver_renewals'), heard_at = now(),
      applied_epoch = greatest(applied_epoch, p_applied_epoch)
    where worker_id = p_worker_id and state = 'live';
  renewed := found;
  -- One statement and therefore one snapshot: nothing is pruned between its parts.
  select e.epoch,
    case when p_applied_epoch < e.pruned_to or '*' = any (since.workspaces) or cardinality(since.workspaces) > 1000
      then null else since.workspaces end
  into epoch, changed
  from public.provider_epoch as e, lateral (
    select array(
      select distinct i.workspace_id from public.provider_invalidations as i
      where i.epoch > p_applied_epoch limit 1001
    ) as workspaces
  ) as since;
end $$;

create function provider_api.deregister_worker(p_worker_id text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  delete from public.resolver_workers where worker_id = p_worker_id;
end;

-- Fences, which managers wait for too, and the janitor in every worker.

create function provider_api.read_epoch() returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select epoch from public.provider_epoch;
end;

create function provider_api.list_workers()
returns table (
  worker_id text, state text, task_queue text, identity text, build text, lease_ms integer, longest_step_ms integer,
  renewal bigint, applied_epoch bigint, registered_at timestamptz, heard_at timestamptz
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select worker_id, state, task_queue, identity, build, lease_ms, longest_step_ms, renewal, applied_epoch,
    registered_at, heard_at
  from public.resolver_workers order by registered_at, worker_id;
end;

-- Marks only the workers that have not renewed since they were listed: one that has just returned keeps its lease.
create function provider_api.mark_vanished(p_worker_ids text[], p_renewals bigint[]) returns setof text
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  update public.resolver_workers as worker set state = 'vanished'
    from unnest(p_worker_ids, p_renewals) as seen (worker_id, renewal)
    where worker.worker_id = seen.worker_id and worker.renewal = seen.renewal and worker.state = 'live'
    returning worker.worker_id;
end;

create function provider_api.forget_workers(p_worker_ids text[], p_renewals bigint[]) returns setof text
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  delete from public.resolver_workers as worker
    using unnest(p_worker_ids, p_renewals) as seen (worker_id, renewal)
    where worker.worker_id = seen.worker_id and worker.renewal = seen.renewal and worker.state = 'vanished'
    returning worker.worker_id;
end;

-- What workers add to the audit, which they cannot read.

-- Adds one use per array position. Rows are inserted in the order of the key, so that the batches of two workers do not
-- deadlock. A text that is too long for an index is cut; Temporal's own limit for a name is 1,000 bytes.
create function provider_api.record_use(
  p_workspace_ids text[], p_provider_types text[], p_provider_names text[], p_minutes timestamptz[], p_versions bigint[],
  p_workflow_types text[], p_workflow_ids text[], p_counts bigint[]
) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into public.provider_use as present
      (workspace_id, provider_type, provider_name, minute, version, workflow_type, workflow_id, count)
    select workspace_id, provider_type, provider_name, date_trunc('minute', minute), version,
      case when octet_length(workflow_type) <= 250 then workflow_type else left(workflow_type, 60) end,
      case when octet_length(workflow_id) <= 1000 then workflow_id else left(workflow_id, 250) end,
      sum(count)
    from unnest(p_workspace_ids, p_provider_types, p_provider_names, p_minutes, p_versions, p_workflow_types,
        p_workflow_ids, p_counts)
      as used (workspace_id, provider_type, provider_name, minute, version, workflow_type, workflow_id, count)
    group by 1, 2, 3, 4, 5, 6, 7
    order by 1, 2, 3, 4, 5, 6, 7
    on conflict (workspace_id, provider_type, provider_name, minute, version, workflow_type, workflow_id)
      do update set count = present.count + excluded.count;
end;

-- Records a credential that a worker could not open. Does nothing if the provider is not stored at that version: a
-- worker can report only on rows that exist.
create function provider_api.record_unreadable(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_version bigint, p_worker text, p_workflow_id text
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  insert into public.provider_events
      (workspace_id, provider_type, provider_name, version, event, actor, workflow_id)
    select workspace_id, provider_type, provider_name, version, 'credential-unreadable',
      coalesce(nullif(left(p_worker, 200), ''), session_user), nullif(left(p_workflow_id, 1000), '')
    from public.workspace_providers
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
      and version = p_version;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

reset role;
