-- What happens when a provider or a data key changes, whichever role and client make the change: the provider's version
-- is raised, the workspace is recorded as changed, and after the commit the change gets an epoch.
set local role provider_owner;

-- The version. Every change that a reader must see raises it; what a writer puts into the column is ignored.
-- A row is always locked before its counter in provider_versions, or an upsert and an update could deadlock. Therefore
-- raise_version only reads the counter, before the row is written, and keep_version writes it afterwards.
-- enable_seqscan, in functions that look one row up for each row that is written: a session keeps the plan of its first
-- rows. If it was made for a small table, a bulk load would read the whole table again for each row.

create or replace function provider_api.raise_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
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
    -- Only raise_versions (0011_lineage) sets it. If somebody else does, versions rise, which does no harm.
    if current_setting('app.raise_versions', true) = 'on' then
      new.version := old.version + 1000000;
    end if;
    new.updated_at := old.updated_at;
    return new;
  end if;

  new.version := 1 + greatest(old.version, 0, (
    select last.version from public.provider_versions as last
    where (last.workspace_id, last.provider_type, last.provider_name)
      = (new.workspace_id, new.provider_type, new.provider_name)
  ));
  new.updated_at := now();
  -- Two transactions at once may take the same turn, which does no harm.
  if tg_op = 'INSERT' then
    perform set_config('app.workspace_id', new.workspace_id, true);
    new.turn := 1 + coalesce(
      (select max(p.turn) from public.workspace_providers as p where p.workspace_id = new.workspace_id), 0);
    perform set_config('app.workspace_id', outer_workspace, true);
  end if;
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

create or replace function provider_api.keep_version() returns trigger
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

create or replace trigger raise_version before insert or update on public.workspace_providers
  for each row execute function provider_api.raise_version();
create or replace trigger keep_version after insert or update on public.workspace_providers
  for each row execute function provider_api.keep_version();

-- Bounds for one workspace. Transactions that insert at the same time do not see each other's rows, so together they may
-- exceed a bound; read_workspace (0006_resolver_functions) has a limit of its own for that case.

create or replace function provider_api.check_workspace_size() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
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

create or replace trigger check_workspace_size after insert on public.workspace_providers
  for each row execute function provider_api.check_workspace_size();
create or replace trigger check_workspace_size after insert on public.workspace_keys
  for each row execute function provider_api.check_workspace_size();

create or replace function provider_api.refuse_new_name() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'a data key cannot be renamed or moved: it is wrapped for its workspace and its kid'
    using errcode = 'restrict_violation';
end $$;

create or replace trigger refuse_new_name before update on public.workspace_keys
  for each row when ((new.workspace_id, new.kid) <> (old.workspace_id, old.kid))
  execute function provider_api.refuse_new_name();

-- The changes and their epochs: how workers learn what changed.

-- Adds a row per workspace and transaction. The row of a transaction is recognized by its own system column `xmin` too:
-- in a database that was restored from a dump, another transaction may have had the same id.
create or replace function provider_api.note_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
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
  -- Postgres lets transactions that notify commit one after the other. So a change gives no hint if another one still
  -- waits for its epoch: that one has given it, and whoever numbers it notifies again.
  if not exists (select from public.provider_changes where changed_by <> pg_current_xact_id()) then
    perform pg_notify('provider_changes', '');
  end if;
  return null;
end $$;

create or replace trigger note_change after insert or delete on public.workspace_providers
  for each row execute function provider_api.note_change();
create or replace trigger note_update after update on public.workspace_providers
  for each row when (old.version <> new.version) execute function provider_api.note_change();
create or replace trigger note_truncate after truncate on public.workspace_providers
  for each statement execute function provider_api.note_change();
-- Deleting a data key shreds what it sealed, so what workers have opened with it must leave their caches too. A data
-- key that is wrapped again stays the same key.
create or replace trigger note_delete after delete on public.workspace_keys
  for each row execute function provider_api.note_change();
create or replace trigger note_truncate after truncate on public.workspace_keys
  for each statement execute function provider_api.note_change();

-- Gives an epoch to each committed change that has none, one per transaction. Numbers must become visible in their
-- order, because a worker that has applied 7 never asks for 6. So one caller numbers at a time, and only what is
-- committed: a session that sees an epoch also sees every change up to it. The transactions that made the changes hold no lock
-- for this, and cannot delay anyone however long they stay open.
-- A caller that may not wait leaves the numbering to the caller that is at it, which notifies everyone afterwards.
create or replace function provider_api.number_changes(p_may_wait boolean) returns void
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
