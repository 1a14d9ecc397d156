-- A provider's version: raised by each change that a reader must see, by whatever hand; what a writer puts into the
-- column is ignored.
set local role provider_owner;

create function provider_api.raise_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
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

  perform set_config('app.workspace_id', new.workspace_id, true);
  if tg_op = 'INSERT' then
    -- The provider's lock before its counter's, as an update takes them, or the two could deadlock.
    perform from public.workspace_providers as present
      where (present.workspace_id, present.provider_type, present.provider_name)
        = (new.workspace_id, new.provider_type, new.provider_name)
      for update;
  end if;
  -- Where it is there already, the insert ends in its conflict: an error, or an update that comes by here itself.
  if tg_op = 'UPDATE' or not found then
    insert into public.provider_versions as last (workspace_id, provider_type, provider_name, version)
      values (new.workspace_id, new.provider_type, new.provider_name, 1)
      on conflict (workspace_id, provider_type, provider_name) do update set version = last.version + 1
      returning last.version into new.version;
  end if;
  perform set_config('app.workspace_id', outer_workspace, true);

  new.updated_at := now();
  if tg_op = 'INSERT' or new.encrypted_config is distinct from old.encrypted_config then
    new.rotated_at := now();
  end if;
  -- A check speaks of one version.
  new.last_check_outcome := null;
  new.last_check_at := null;
  return new;
end $$;

create trigger raise_version before insert or update on public.workspace_providers
  for each row execute function provider_api.raise_version();

reset role;
