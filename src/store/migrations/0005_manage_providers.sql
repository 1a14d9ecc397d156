-- What the CLI and the API do, as functions: a manager's login touches no table either.
set local role provider_owner;

create function provider_api.list_providers(p_workspace_id text)
returns table (
  provider_type text, provider_name text, config jsonb, encrypted_config text, status text, version bigint,
  rotate_every text, rotated_at timestamptz, last_check_outcome text, last_check_at timestamptz,
  created_at timestamptz, updated_at timestamptz
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  return query
    select p.provider_type, p.provider_name, p.config, p.encrypted_config, p.status, p.version,
      p.rotate_every::text, p.rotated_at, p.last_check_outcome, p.last_check_at, p.created_at, p.updated_at
    from public.workspace_providers as p where p.workspace_id = p_workspace_id
    order by p.provider_type, p.provider_name;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

-- Answers the workspace's active data key: this one, or the one of whoever was first.
create function provider_api.add_data_key(
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

-- Crypto-shredding: what the workspace stored can never be opened again.
create function provider_api.delete_data_keys(p_workspace_id text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  delete from public.workspace_keys where workspace_id = p_workspace_id;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

-- Answers the new version; null where the provider is not at p_expected_version (0: where it exists). Without an
-- expected version it writes whatever is there. A provider that is switched off stays so.
create function provider_api.put_provider(
  p_workspace_id text, p_provider_type text, p_provider_name text,
  p_config jsonb, p_encrypted_config text, p_expected_version bigint,
  out new_version bigint
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
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
end $$;

-- Answers the new version; null where there is no such provider.
create function provider_api.set_provider_status(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_status text, out new_version bigint
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  update public.workspace_providers set status = p_status
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
    returning version into new_version;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

create function provider_api.remove_provider(
  p_workspace_id text, p_provider_type text, p_provider_name text, out removed boolean
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  delete from public.workspace_providers
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name;
  removed := found;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

-- Of that version alone: of another one the check says nothing.
create function provider_api.record_check(
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

grant execute on function
  provider_api.list_providers(text),
  provider_api.add_data_key(text, text, text, text),
  provider_api.delete_data_keys(text),
  provider_api.put_provider(text, text, text, jsonb, text, bigint),
  provider_api.set_provider_status(text, text, text, text),
  provider_api.remove_provider(text, text, text),
  provider_api.record_check(text, text, text, bigint, text)
to provider_manager;

reset role;
