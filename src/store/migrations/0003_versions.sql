-- A provider's version: raised by each change that a reader must see, by whatever hand; what a writer puts into the
-- column is ignored. The row's lock always comes before its counter's, or an upsert and an update could deadlock: so
-- the counter is only read before the row is written, and kept after.
set local role provider_owner;

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
  end if;
  -- A check speaks of one version.
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
  -- Since the counter was read, the same provider was added and removed by another.
  if not found then
    raise exception 'the provider was changed at the same moment: try again' using errcode = 'serialization_failure';
  end if;
  return null;
end $$;

create trigger raise_version before insert or update on public.workspace_providers
  for each row execute function provider_api.raise_version();
create trigger keep_version after insert or update on public.workspace_providers
  for each row execute function provider_api.keep_version();

reset role;
