-- What happens when a provider or a data key changes, whichever role and client make the change: the provider's version
-- is raised, the workspace is recorded as changed, and after the commit the change gets an epoch.
set local role provider_owner;

-- The version. Every change that a reader must see raises it; what a writer puts into the column is ignored.
-- A row is always locked before its counter in provider_versions, or an upsert and an update could deadlock. Therefore
-- raise_version only reads the counter, before the row is written, and keep_version writes it afterwards.

create function provider_api.raise_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'UPDATE' and (new.workspace_id, new.provider_type, new.provider_name)
    <> (old.workspace_id, old.provider_type, old.provider_name)
  then
    raise exception 'a provider cannot be renamed or moved: its credential is sealed for its name. Seal the credential '
      'for the new name, insert it as a new row, and remove this one' using errcode = 'restrict_violation';
  end if;
  if tg_op = 'UPDATE'
    and (new.workspace_id, new.provider_type, new.provider_name, new.config, new.encrypted_config, new.status)
      is not distinct from
      (old.workspace_id, old.provider_type, old.provider_name, old.config, old.encrypted_config, old.status)
  then
    new.version := old.version;
    new.updated_at := old.updated_at;
    return new;
  end if;

  new.version := 1 + greatest(old.version, 0, (
    select last.version from public.provider_versions as last
    where (last.workspace_id, last.provider_type, last.provider_name)
      = (new.workspace_id, new.provider_type, new.provider_name)
  ));
  new.updated_at := now();
  if tg_op = 'INSERT' or new.encrypted_config is distinct from old.encrypted_config then
    new.rotated_at := now();
    -- The id belongs to the credential that is being replaced, unless the update brings a new one.
    if tg_op = 'UPDATE' and new.key_id is not distinct from old.key_id then
      new.key_id := null;
    end if;
  end if;
  -- A check is about one version.
  new.last_check_outcome := null;
  new.last_check_at := null;
  return new;
end $$;

create function provider_api.keep_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'UPDATE' and new.version = old.version then
    return null;
  end if;
  insert into public.provider_versions as last (workspace_id, provider_type, provider_name, version)
    values (new.workspace_id, new.provider_type, new.provider_name, new.version)
    on conflict (workspace_id, provider_type, provider_name) do update set version = excluded.version
    where last.version < excluded.version;
  -- Another transaction added and removed the same provider after raise_version had read the counter.
  if not found then
    raise exception 'another transaction changed this provider at the same time: run the statement again'
      using errcode = 'serialization_failure';
  end if;
  return null;
end $$;

create trigger raise_version before insert or update on public.workspace_providers
  for each row execute function provider_api.raise_version();
create trigger keep_version after insert or update on public.workspace_providers
  for each row execute function provider_api.keep_version();

-- Bounds for one workspace. Transactions that insert at the same time do not see each other's rows, so together they may
-- exceed a bound; read_workspace (0006_resolver_functions) has a limit of its own for that case.

create function provider_api.check_workspace_size() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  most_providers constant integer := 200;
  most_data_keys constant integer := 100;
  outer_workspace text := current_setting('app.workspace_id', true);
  present bigint;
begin
  perform set_config('app.workspace_id', new.workspace_id, true);
  if tg_table_name = 'workspace_providers' then
    select count(*) into present from public.workspace_providers where workspace_id = new.workspace_id;
    if present > most_providers then
      raise exception 'a workspace can have at most % providers: remove one first', most_providers
        using errcode = 'program_limit_exceeded', constraint = 'most_providers';
    end if;
  else
    select count(*) into present from public.workspace_keys where workspace_id = new.workspace_id;
    if present > most_data_keys then
      raise exception 'a workspace can have at most % data keys', most_data_keys
        using errcode = 'program_limit_exceeded', constraint = 'most_data_keys';
    end if;
  end if;
  perform set_config('app.workspace_id', outer_workspace, true);
  return null;
end $$;

create trigger check_workspace_size after insert on public.workspace_providers
  for each row execute function provider_api.check_workspace_size();
create trigger check_workspace_size after insert on public.workspace_keys
  for each row execute function provider_api.check_workspace_size();

create function provider_api.refuse_new_name() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'a data key cannot be renamed or moved: it is wrapped for its workspace and its kid'
    using errcode = 'restrict_violation';
end $$;

create trigger refuse_new_name before update on public.workspace_keys
  for each row when ((new.workspace_id, new.kid) <> (old.workspace_id, old.kid))
  execute function provider_api.refuse_new_name();

-- The lineage: epochs can be compared only within one. A database that was restored or failed over may have lost epochs
-- and counted on since; while a trigger was off, changes got no epoch; and after a dropped policy this schema's own
-- functions saw no rows. Each of these changes what the next two functions answer, and begins a new lineage. Workers of
-- the old one hold no lease in the new one.

-- Which server process and which database this is: no restart, failover, restore or copy keeps both.
create function provider_api.present_server() returns text
language sql stable set search_path = pg_catalog, pg_temp
return extract(epoch from pg_postmaster_start_time())::text || ' '
  || (select oid from pg_database where datname = current_database())::text;

-- A digest of the triggers and policies of our tables. A trigger that was off and is on again has another `xmin`.
create function provider_api.present_guards() returns text
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  with tables as (
    select oid, relrowsecurity, relforcerowsecurity from pg_class
    where relnamespace = 'public'::regnamespace and relname in ('workspace_providers', 'workspace_keys',
      'provider_versions', 'provider_changes', 'provider_epoch', 'provider_invalidations', 'resolver_workers')
  )
  select md5(coalesce(string_agg(part, ' ' order by part), '')) from (
    select concat_ws(',', 'c', oid, relrowsecurity, relforcerowsecurity) as part from tables
    union all
    select concat_ws(',', 't', t.oid, t.xmin, t.tgenabled) from tables join pg_trigger as t on tgrelid = tables.oid
    union all
    select concat_ws(',', 'p', p.oid, p.xmin) from tables join pg_policy as p on polrelid = tables.oid
  ) as parts;
end;

-- Raises if a trigger or a policy that the fence relies on is not in force.
create function provider_api.require_guards() returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  perform from (values
      ('workspace_providers', 'raise_version'), ('workspace_providers', 'keep_version'),
      ('workspace_providers', 'note_change'), ('workspace_providers', 'note_update'),
      ('workspace_providers', 'note_truncate'), ('workspace_keys', 'note_delete'), ('workspace_keys', 'note_truncate')
    ) as wanted (of_table, name)
    where not exists (
      select from pg_trigger as t join pg_class as c on c.oid = t.tgrelid
      where c.relnamespace = 'public'::regnamespace and c.relname = wanted.of_table and t.tgname = wanted.name
        and t.tgenabled = 'A'
    );
  if found then
    raise exception 'triggers that the fence relies on are missing or not in force' using errcode = 'WP004';
  end if;
  perform from (values
      ('workspace_providers', 'own_workspace'), ('workspace_keys', 'own_workspace'),
      ('provider_versions', 'only_triggers'), ('provider_changes', 'only_triggers'),
      ('provider_epoch', 'only_functions'), ('provider_invalidations', 'only_functions'),
      ('resolver_workers', 'only_functions')
    ) as wanted (of_table, name)
    where not exists (
      select from pg_policy as p join pg_class as c on c.oid = p.polrelid
      where c.relnamespace = 'public'::regnamespace and c.relname = wanted.of_table and p.polname = wanted.name
        and c.relrowsecurity and c.relforcerowsecurity
    );
  if found then
    raise exception 'row-level security is off, or a policy is missing' using errcode = 'WP005';
  end if;
end $$;

create function provider_api.require_primary() returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  if pg_is_in_recovery() then
    raise exception 'this server is a standby' using errcode = 'WP003';
  end if;
end $$;

-- Returns the present lineage, and begins a new one if the server or a guard is no longer what it was. Raises while a
-- guard is not in force. In a new lineage no worker has a lease: each must register again. There may also be workers
-- that the database does not know, because they registered after it was copied. One row stands for all leases of the
-- old lineage, with the longest of them: a fence waits for it, and a janitor clears it, as for a worker that fell silent.
create function provider_api.present_lineage(out lineage uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  seen_server text;
  seen_guards text;
  stored public.provider_epoch;
  longest integer;
begin
  perform provider_api.require_primary();
  seen_server := provider_api.present_server();
  seen_guards := provider_api.present_guards();
  select * into stored from public.provider_epoch;
  if (stored.server, stored.guards) is not distinct from (seen_server, seen_guards) then
    lineage := stored.lineage;
    return;
  end if;
  perform provider_api.require_guards();
  update public.provider_epoch as present
    set server = seen_server, guards = seen_guards, lineage = gen_random_uuid(), longest_lease_ms = 0
    where (present.server, present.guards) is distinct from (seen_server, seen_guards)
    returning present.lineage into lineage;
  if not found then
    select present.lineage into lineage from public.provider_epoch as present;
    return;
  end if;
  select greatest(stored.longest_lease_ms, max(lease_ms)) into longest from public.resolver_workers;
  delete from public.resolver_workers where token_hash is null;
  update public.resolver_workers set state = 'vanished' where state = 'live';
  if longest > 0 then
    insert into public.resolver_workers
        (worker_id, task_queue, identity, build, lease_ms, longest_step_ms, calls, renewal, applied_epoch)
      values ('before.' || lineage, 'none', 'workers from before Postgres was restarted, replaced or repaired', '-',
        longest, 0, 1, nextval('public.resolver_renewals'), -1);
  end if;
end $$;

-- The changes and their epochs: how workers learn what changed.

-- Adds a row per workspace and transaction. The row of a transaction is recognized by its own system column `xmin` too:
-- in a database that was restored from a dump, another transaction may have had the same id.
create function provider_api.note_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  changed text := '*';
begin
  if tg_op = 'DELETE' then
    changed := old.workspace_id;
  elsif tg_op <> 'TRUNCATE' then
    changed := new.workspace_id;
  end if;
  insert into public.provider_changes (workspace_id)
    select changed where not exists (
      select from public.provider_changes as noted
      where noted.workspace_id = changed and noted.changed_by = pg_current_xact_id()
        and noted.xmin = pg_current_xact_id()::xid
    );
  -- Only a hint, for speed: it does not reach a worker that is reconnecting or listens through a transaction pooler.
  perform pg_notify('provider_changes', '');
  return null;
end $$;

create trigger note_change after insert or delete on public.workspace_providers
  for each row execute function provider_api.note_change();
create trigger note_update after update on public.workspace_providers
  for each row when (old.version <> new.version) execute function provider_api.note_change();
create trigger note_truncate after truncate on public.workspace_providers
  for each statement execute function provider_api.note_change();
-- Deleting a data key shreds what it sealed, so what workers have opened with it must leave their caches too. A data
-- key that is wrapped again stays the same key.
create trigger note_delete after delete on public.workspace_keys
  for each row execute function provider_api.note_change();
create trigger note_truncate after truncate on public.workspace_keys
  for each statement execute function provider_api.note_change();

-- Gives an epoch to each committed change that has none, one per transaction. Numbers must become visible in their
-- order, because a worker that has applied 7 never asks for 6. So one caller numbers at a time, and only what is
-- committed: a session that sees an epoch also sees every change up to it. The transactions that made the changes hold no lock
-- for this, and cannot delay anyone however long they stay open.
-- A caller that may not wait leaves the numbering to the caller that is at it, which notifies everyone afterwards.
create function provider_api.number_changes(p_may_wait boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
declare
  -- A worker that is further behind than this empties its cache.
  kept constant bigint := 10000;
  present bigint;
  newest bigint;
begin
  if not exists (select from public.provider_changes) then
    return;
  end if;
  -- An epoch that was told must survive a crash: until the end of this transaction, its commit waits for the disk.
  if current_setting('synchronous_commit') = 'off' then
    perform set_config('synchronous_commit', 'on', true);
  end if;
  if p_may_wait then
    select epoch into present from public.provider_epoch for update;
  else
    select epoch into present from public.provider_epoch for update skip locked;
    if not found then
      return;
    end if;
  end if;
  with
    taken as (delete from public.provider_changes returning workspace_id, changed_by),
    numbered as (select distinct present + dense_rank() over (order by changed_by) as epoch, workspace_id from taken),
    kept_for_workers as (
      insert into public.provider_invalidations (epoch, workspace_id) select epoch, workspace_id from numbered
    )
  select max(epoch) into newest from numbered;
  if newest is null then
    return;
  end if;
  update public.provider_epoch set epoch = newest;
  if newest / 1000 > present / 1000 and newest > kept then
    delete from public.provider_invalidations where epoch <= newest - kept;
    update public.provider_epoch set pruned_to = newest - kept;
  end if;
  perform pg_notify('provider_changes', newest::text);
end $$;

-- `always`: the triggers also fire while session_replication_role switches others off.
alter table public.workspace_providers
  enable always trigger raise_version,
  enable always trigger keep_version,
  enable always trigger check_workspace_size,
  enable always trigger note_change,
  enable always trigger note_update,
  enable always trigger note_truncate;
alter table public.workspace_keys
  enable always trigger check_workspace_size,
  enable always trigger refuse_new_name,
  enable always trigger note_delete,
  enable always trigger note_truncate;

reset role;
