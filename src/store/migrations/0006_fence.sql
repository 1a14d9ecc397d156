-- What lets a fence see every change, whoever makes it: an epoch that is raised in commit order, the workspaces that
-- changed at each, and the workers that must hear of it. The protocol: docs/fence.md.
set local role provider_owner;

-- `taken_by` tells a transaction that it has its epoch already. A sequence would not do: its values become visible out
-- of commit order, and a worker that has applied 7 would never ask for 6.
create table public.provider_epoch (
  only_row boolean primary key default true,
  epoch bigint not null default 0,
  taken_by xid8,
  pruned_to bigint not null default 0,
  constraint only_row check (only_row)
);
insert into public.provider_epoch default values;

create table public.provider_invalidations (
  epoch bigint not null,
  workspace_id text collate "C" not null,
  primary key (epoch, workspace_id)
);
comment on column public.provider_invalidations.workspace_id is '*: every workspace, after a truncate';

-- Each renewal draws a number that no other renewal ever had: a row that was seen with it has not been renewed since.
create sequence public.resolver_renewals;

create table public.resolver_workers (
  worker_id text collate "C" primary key,
  state text not null default 'live',
  task_queue text not null,
  identity text not null,
  build text not null,
  lease_ms integer not null,
  longest_step_ms integer not null,
  renewal bigint not null,
  applied_epoch bigint not null default 0,
  registered_at timestamptz not null default now(),
  heard_at timestamptz not null default now(),
  constraint worker_id check (worker_id ~ '^[A-Za-z0-9_.:-]{1,128}$'),
  constraint worker_state check (state in ('live', 'vanished')),
  constraint lease_ms check (lease_ms between 1 and 86400000),
  constraint longest_step_ms check (longest_step_ms >= 0)
);
comment on column public.resolver_workers.state is 'vanished: holds no lease any more, but may still run a step';
comment on column public.resolver_workers.heard_at is 'for people; nothing is decided by it';

alter table public.provider_epoch enable row level security, force row level security;
alter table public.provider_invalidations enable row level security, force row level security;
alter table public.resolver_workers enable row level security, force row level security;
create policy functions_alone on public.provider_epoch to provider_owner using (true) with check (true);
create policy functions_alone on public.provider_invalidations to provider_owner using (true) with check (true);
create policy functions_alone on public.resolver_workers to provider_owner using (true) with check (true);

-- Answers the transaction's epoch, one for all that it changes. The row's lock is held until the commit: that is what
-- makes epoch order commit order.
create function provider_api.take_epoch() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  -- Workers that fell further behind than this empty their caches.
  kept constant bigint := 10000;
  taken bigint;
begin
  select epoch into taken from public.provider_epoch where taken_by = pg_current_xact_id();
  if found then
    return taken;
  end if;
  update public.provider_epoch set epoch = epoch + 1, taken_by = pg_current_xact_id() returning epoch into taken;
  if taken % 1000 = 0 and taken > kept then
    delete from public.provider_invalidations where epoch <= taken - kept;
    update public.provider_epoch set pruned_to = taken - kept;
  end if;
  -- A hint, for speed alone: it is lost on a reconnect and does not pass a transaction pooler.
  perform pg_notify('provider_changes', taken::text);
  return taken;
end $$;

create function provider_api.invalidate() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  taken constant bigint := provider_api.take_epoch();
begin
  if tg_op = 'TRUNCATE' then
    insert into public.provider_invalidations (epoch, workspace_id) values (taken, '*') on conflict do nothing;
    return null;
  end if;
  if tg_op <> 'INSERT' then
    insert into public.provider_invalidations (epoch, workspace_id) values (taken, old.workspace_id)
      on conflict do nothing;
  end if;
  if tg_op <> 'DELETE' then
    insert into public.provider_invalidations (epoch, workspace_id) values (taken, new.workspace_id)
      on conflict do nothing;
  end if;
  return null;
end $$;

-- Deferred to the commit: the epoch is the last lock that a transaction takes, so two that change the same rows in
-- another order never wait for each other because of it. `always`: also where triggers are off for replication.
create constraint trigger invalidate_changed after insert or delete on public.workspace_providers
  deferrable initially deferred for each row execute function provider_api.invalidate();
create constraint trigger invalidate_updated after update on public.workspace_providers
  deferrable initially deferred for each row when (old.version <> new.version)
  execute function provider_api.invalidate();
create trigger invalidate_truncated after truncate on public.workspace_providers
  for each statement execute function provider_api.invalidate();
-- A data key that is deleted shreds what it sealed: copies in the clear must go too. One that is wrapped again stays the
-- same key.
create constraint trigger invalidate_deleted after delete on public.workspace_keys
  deferrable initially deferred for each row execute function provider_api.invalidate();
create trigger invalidate_truncated after truncate on public.workspace_keys
  for each statement execute function provider_api.invalidate();

alter table public.workspace_providers
  enable always trigger raise_version,
  enable always trigger keep_version,
  enable always trigger invalidate_changed,
  enable always trigger invalidate_updated,
  enable always trigger invalidate_truncated;
alter table public.workspace_keys
  enable always trigger invalidate_deleted,
  enable always trigger invalidate_truncated;

-- As before, and now with the epoch of its snapshot.
create or replace function provider_api.read_workspace(
  p_workspace_id text, out epoch bigint, out data_keys json, out providers json
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
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

create function provider_api.read_epoch() returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select epoch from public.provider_epoch;
end;

-- Grants no lease: that takes a renewal, sent after this was committed. A worker whose row vanished comes back to it.
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

-- Records what the worker has applied so far, and tells what changed since. `renewed` false: its row is gone, and its
-- lease with it. `changed` null: too much to tell, or too long ago; everything.
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
  -- One statement, so one snapshot: nothing is pruned between its parts.
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

-- Only those that have not been renewed since they were seen: a worker that has just come back keeps its lease.
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

grant execute on function
  provider_api.register_worker(text, text, text, text, integer, integer),
  provider_api.renew_lease(text, bigint),
  provider_api.deregister_worker(text)
to provider_resolver;
grant execute on function
  provider_api.read_epoch(),
  provider_api.list_workers(),
  provider_api.mark_vanished(text[], bigint[]),
  provider_api.forget_workers(text[], bigint[])
to provider_resolver, provider_manager;

reset role;
