-- The functions of workers, whose logins are granted provider_resolver and cannot touch a table. Row-level security is
-- in force inside the functions.
set local role provider_owner;

-- The preflight compares the result with the newest migration of the build that runs it.
create or replace function provider_api.latest_migration() returns text
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
-- key, which seals, comes first. The limits are twice the bounds of check_workspace_size. A worker opens no admin
-- credential, of whatever service, so only a manager's login is given one, sealed as it is. `lineage` is null if a new one is about to begin.
-- Without a policy every row is hidden, so nothing is answered as absent before the policies were looked at.
create or replace function provider_api.read_workspace(
  p_workspace_id text, out epoch bigint, out lineage uuid, out data_keys json, out providers json
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
-- Both lookups are by key, so one plan fits every workspace. On small tables Postgres would otherwise plan each call,
-- which takes as long as the reads.
set plan_cache_mode = force_generic_plan as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  if pg_is_in_recovery() then
    perform provider_api.require_primary();
  end if;
  perform set_config('app.workspace_id', p_workspace_id, true);
  select e.epoch, case when e.server = provider_api.present_server() then e.lineage end,
    (select json_agg(k) from (
      select kid, wrapped_key, root_key_id
      from public.workspace_keys where workspace_id = p_workspace_id
      order by state = 'active' desc, created_at desc, kid limit 200
    ) as k),
    (select json_agg(p) from (
      select provider_type, provider_name, config, encrypted_config, status, version
      from public.workspace_providers where workspace_id = p_workspace_id
        and (provider_type not like '%-admin' or pg_has_role(session_user, 'provider_manager', 'member'))
      order by provider_type, provider_name limit 400
    ) as p)
  from public.provider_epoch as e
  into epoch, lineage, data_keys, providers;
  if epoch is null or data_keys is null or providers is null then
    perform provider_api.require_guards();
    data_keys := coalesce(data_keys, '[]');
    providers := coalesce(providers, '[]');
  end if;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

-- Leases. The protocol is in docs/fence.md. A worker speaks only for itself: registering answers a token, of which the
-- row has only the hash, and the other functions want it.

create or replace function provider_api.hash_token(p_token text) returns bytea
language sql immutable set search_path = pg_catalog, pg_temp
return sha256(convert_to(p_token, 'UTF8'));

-- Grants no lease: the worker must renew first, after this has been committed. A row that is there stays another
-- process's, unless it never had a lease (the answer to its registration was lost), or the caller has its token and it
-- was marked as vanished or the caller was of another lineage. A process keeps its token: in a database that went back,
-- a row may have an earlier registration of the same process.
create or replace function provider_api.register_worker(
  p_worker_id text, p_task_queue text, p_identity text, p_build text, p_lease_ms integer, p_longest_step_ms integer,
  p_token text, p_lineage uuid, out token text, out lineage uuid
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  most_workers constant integer := 10000;
begin
  lineage := provider_api.present_lineage();
  if (select count(*) from public.resolver_workers) >= most_workers then
    raise exception 'there can be at most % workers', most_workers
      using errcode = 'program_limit_exceeded', constraint = 'most_workers';
  end if;
  -- Each has 122 bits of a strong generator.
  token := coalesce(p_token, replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''));
  insert into public.resolver_workers as present
      (worker_id, task_queue, identity, build, lease_ms, longest_step_ms, renewal, token_hash)
    values (p_worker_id, p_task_queue, left(p_identity, 200), left(p_build, 100), p_lease_ms, p_longest_step_ms,
      nextval('public.resolver_renewals'), provider_api.hash_token(token))
    on conflict (worker_id) do update
      set state = 'live', renewal = excluded.renewal, heard_at = now(), token_hash = excluded.token_hash, calls = 0
      where present.calls = 0
        or present.token_hash = provider_api.hash_token(p_token)
          and (present.state = 'vanished' or p_lineage is distinct from register_worker.lineage);
  if not found then
    raise exception 'another process has registered with this worker id' using errcode = 'WP001';
  end if;
  perform setval('public.resolver_longest_lease', p_lease_ms) from public.resolver_longest_lease as known
    where not known.is_called or known.last_value < p_lease_ms;
end $$;

-- Records what the worker has applied so far and returns the workspaces that changed since. `renewed` is false if the
-- worker's row is gone, and with it the lease; `moved`, if what the worker has applied is not of this lineage. `changed`
-- is null if the list would be too long or does not go back far enough: everything may have changed. The worker counts
-- its calls: a count that was used before comes from a second process with the same memory, a copy of a virtual machine,
-- which gets no lease. `p_held` is what steps hold that began before the worker applied the last change of their
-- workspace; null if it is too much to list. The drain relies on it.
create or replace function provider_api.renew_lease(
  p_worker_id text, p_token text, p_call bigint, p_applied_epoch bigint, p_lineage uuid, p_grant_keys text, p_held jsonb,
  out renewed boolean, out moved boolean, out epoch bigint, out changed text[]
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  moved := provider_api.present_lineage() is distinct from p_lineage
    or p_applied_epoch > (select e.epoch from public.provider_epoch as e);
  renewed := false;
  if moved then
    return;
  end if;
  update public.resolver_workers
    set renewal = nextval('public.resolver_renewals'), heard_at = now(), calls = p_call,
      applied_epoch = greatest(applied_epoch, p_applied_epoch), grant_keys = p_grant_keys, held = p_held
    where worker_id = p_worker_id and state = 'live' and calls < p_call
      and token_hash = provider_api.hash_token(p_token);
  renewed := found;
  if not renewed then
    return;
  end if;
  perform provider_api.number_changes(false);
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

-- A row that never had a lease needs no token: nothing relies on it. A copy of a process may not remove the row of one
-- that has renewed since.
create or replace function provider_api.deregister_worker(p_worker_id text, p_token text, p_call bigint) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  delete from public.resolver_workers
    where worker_id = p_worker_id and calls <= p_call
      and (calls = 0 or token_hash = provider_api.hash_token(p_token));
end;

-- What workers add to the audit, which they cannot read.

create or replace function provider_api.require_worker(p_worker_id text, p_token text) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform from public.resolver_workers
    where worker_id = p_worker_id and token_hash = provider_api.hash_token(p_token);
  if not found then
    raise exception 'no such worker is registered' using errcode = 'WP002';
  end if;
end $$;

-- Adds one use per array position. Rows are inserted in the order of the key, so that the batches of two workers do not
-- deadlock. A text that is too long for an index is cut; Temporal's own limit for a name is 1,000 bytes.
create or replace function provider_api.record_use(
  p_worker_id text, p_token text,
  p_workspace_ids text[], p_provider_types text[], p_provider_names text[], p_minutes timestamptz[], p_versions bigint[],
  p_workflow_types text[], p_workflow_ids text[], p_counts bigint[]
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  most_uses constant integer := 20000;
begin
  perform provider_api.require_worker(p_worker_id, p_token);
  if cardinality(p_workspace_ids) > most_uses then
    raise exception 'at most % uses can be recorded at once', most_uses
      using errcode = 'program_limit_exceeded', constraint = 'most_uses';
  end if;
  perform from unnest(p_minutes, p_versions, p_counts) as used (minute, version, count)
    where (
      minute between now() - interval '1 day' and now() + interval '1 day'
      and version >= 0 and count between 1 and 2147483647
    ) is not true;
  if found then
    raise exception 'a use must be of the last day, with a version from 0 and a count from 1 to 2147483647'
      using errcode = 'check_violation', constraint = 'use';
  end if;
  insert into public.provider_use as present
      (workspace_id, provider_type, provider_name, minute, version, workflow_type, workflow_id, count)
    select used.workspace_id, used.provider_type, used.provider_name, date_trunc('minute', used.minute), used.version,
      case when octet_length(used.workflow_type) <= 250 then used.workflow_type else left(used.workflow_type, 60) end,
      case when octet_length(used.workflow_id) <= 1000 then used.workflow_id else left(used.workflow_id, 250) end,
      sum(used.count)
    from unnest(p_workspace_ids, p_provider_types, p_provider_names, p_minutes, p_versions, p_workflow_types,
        p_workflow_ids, p_counts)
      as used (workspace_id, provider_type, provider_name, minute, version, workflow_type, workflow_id, count)
    group by 1, 2, 3, 4, 5, 6, 7
    order by 1, 2, 3, 4, 5, 6, 7
    on conflict (workspace_id, provider_type, provider_name, minute, version, workflow_type, workflow_id)
      do update set count = present.count + excluded.count;
end $$;

-- Records a credential that a worker could not open, once per version. Does nothing if the provider is not stored at
-- that version: a worker can report only on rows that exist.
create or replace function provider_api.record_unreadable(
  p_worker_id text, p_token text, p_workspace_id text, p_provider_type text, p_provider_name text, p_version bigint, p_worker text, p_workflow_id text
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform provider_api.require_worker(p_worker_id, p_token);
  perform set_config('app.workspace_id', p_workspace_id, true);
  insert into public.provider_events
      (workspace_id, provider_type, provider_name, version, event, actor, workflow_id)
    select workspace_id, provider_type, provider_name, version, 'credential-unreadable',
      coalesce(nullif(left(p_worker, 200), ''), session_user), nullif(left(p_workflow_id, 1000), '')
    from public.workspace_providers
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
      and version = p_version
    on conflict (workspace_id, provider_type, provider_name, version, event)
      where event in ('rotation-overdue', 'credential-rejected', 'credential-unreadable') do nothing;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

reset role;
