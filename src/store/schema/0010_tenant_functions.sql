-- The functions of the platform's other services, whose logins are granted provider_tenant. They work within the
-- workspace in `app.workspace_id`, which the caller has set, and do what column grants (0012_grants) cannot allow safely:
-- a right to delete rows of a table would also be a right to lock the table against everyone.
set local role provider_owner;

create or replace function provider_api.own_workspace() returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  if coalesce(current_setting('app.workspace_id', true), '') = '' then
    raise exception 'app.workspace_id is not set: run select set_config(''app.workspace_id'', …, true) first, in the same '
      'transaction' using errcode = 'insufficient_privilege';
  end if;
  return current_setting('app.workspace_id');
end $$;

-- `removed` is false if there was no such provider.
create or replace function provider_api.remove_own_provider(p_provider_type text, p_provider_name text, out removed boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  delete from public.workspace_providers
    where workspace_id = provider_api.own_workspace() and provider_type = p_provider_type
      and provider_name = p_provider_name;
  removed := found;
end $$;

-- Whether a text is a data key of this workspace as docs/sealing-format.md describes it: five parts in their canonical
-- form, and a header with exactly these members, each once and without white space. Only the root key can tell more.
create or replace function provider_api.is_wrapped_key(
  p_wrapped_key text, p_workspace_id text, p_kid text, p_root_key_id text
) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  form constant text :=
    '^([A-Za-z0-9_-]+)\.\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\.[A-Za-z0-9_-]{21}[AQgw]$';
  encoded text;
  header text;
begin
  if octet_length(p_wrapped_key) > 8192 then
    return false;
  end if;
  encoded := translate((regexp_match(p_wrapped_key, form))[1], '-_', '+/');
  header := convert_from(decode(encoded || repeat('=', (4 - length(encoded) % 4) % 4), 'base64'), 'UTF8');
  return coalesce(
    header::jsonb = jsonb_build_object('alg', 'dir', 'enc', 'A256GCM', 'typ', 'workspace-data-key+jwe',
      'kid', p_root_key_id, 'workspace_id', p_workspace_id, 'data_kid', p_kid)
    -- jsonb prints a space after each of six colons and five commas.
    and length(header) = length(header::jsonb::text) - 11,
    false);
exception
  -- Not base64, not UTF-8, or not JSON.
  when data_exception then return false;
end $$;

-- Returns the workspace's active data key: this one, or the one that was there before.
create or replace function provider_api.add_own_data_key(
  p_kid text, p_wrapped_key text, p_root_key_id text, out kid text, out wrapped_key text, out root_key_id text
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  own constant text := provider_api.own_workspace();
begin
  if provider_api.is_wrapped_key(p_wrapped_key, own, p_kid, p_root_key_id) is not true then
    raise exception 'this is not a data key of the workspace, wrapped under that kid and root key as '
      'docs/sealing-format.md describes' using errcode = 'check_violation', constraint = 'wrapped_key';
  end if;
  insert into public.workspace_keys (workspace_id, kid, wrapped_key, root_key_id)
    values (own, p_kid, p_wrapped_key, p_root_key_id)
    on conflict do nothing;
  select k.kid, k.wrapped_key, k.root_key_id into kid, wrapped_key, root_key_id
    from public.workspace_keys as k where k.workspace_id = own and k.state = 'active';
end $$;

reset role;
