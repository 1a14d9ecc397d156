-- What happens when a provider or a data key changes, whichever role and client make the change: the provider's version
-- is raised, the transaction takes an epoch, and the workspace is recorded as changed at that epoch.
set local role provider_owner;

-- The version. Every change that a reader must see raises it; what a writer puts into the column is ignored.
-- A row is always locked before its counter in provider_versions, or an upsert and an update could deadlock. Therefore
-- raise_version only reads the counter, before the row is written, and keep_version writes it afterwards.

create function provider_api.raise_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
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

-- The epoch and the invalidations: how workers learn what changed.

-- Returns the transaction's epoch, one for everything that it changes. The row stays locked until the commit, which
-- makes the order of epochs the order of commits.
create function provider_api.take_epoch() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  -- A worker that is further behind than this empties its cache.
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
  -- Only a hint, for speed: it does not reach a worker that is reconnecting or listens through a transaction pooler.
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

-- Deferred to the commit: the epoch is the last lock that a transaction takes, so two transactions that change the same
-- rows in a different order do not deadlock over it.
create constraint trigger invalidate_changed after insert or delete on public.workspace_providers
  deferrable initially deferred for each row execute function provider_api.invalidate();
create constraint trigger invalidate_updated after update on public.workspace_providers
  deferrable initially deferred for each row when (old.version <> new.version)
  execute function provider_api.invalidate();
create trigger invalidate_truncated after truncate on public.workspace_providers
  for each statement execute function provider_api.invalidate();
-- Deleting a data key shreds what it sealed, so what workers have opened with it must leave their caches too. A data
-- key that is wrapped again stays the same key.
create constraint trigger invalidate_deleted after delete on public.workspace_keys
  deferrable initially deferred for each row execute function provider_api.invalidate();
create trigger invalidate_truncated after truncate on public.workspace_keys
  for each statement execute function provider_api.invalidate();

-- `always`: the triggers also fire while session_replication_role switches others off.
alter table public.workspace_providers
  enable always trigger raise_version,
  enable always trigger keep_version,
  enable always trigger invalidate_changed,
  enable always trigger invalidate_updated,
  enable always trigger invalidate_truncated;
alter table public.workspace_keys
  enable always trigger invalidate_deleted,
  enable always trigger invalidate_truncated;

reset role;
