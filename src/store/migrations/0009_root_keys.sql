-- Replacing the root key: every data key is wrapped again, sealed credentials stay as they are.
set local role provider_owner;

create policy every_workspace on public.workspace_keys for select to provider_owner
  using (current_setting('app.every_workspace', true) = 'on');

-- After the given one, in the order of workspaces and kids; empty texts: from the first.
create function provider_api.list_data_keys(p_workspace_id text, p_kid text, p_limit integer)
returns table (workspace_id text, kid text, wrapped_key text, root_key_id text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_scope text := current_setting('app.every_workspace', true);
begin
  perform set_config('app.every_workspace', 'on', true);
  return query
    select k.workspace_id, k.kid, k.wrapped_key, k.root_key_id from public.workspace_keys as k
    where (k.workspace_id, k.kid) > (p_workspace_id, p_kid)
    order by k.workspace_id, k.kid limit p_limit;
  perform set_config('app.every_workspace', outer_scope, true);
end $$;

-- False where it is no longer wrapped as it was read: somebody else was first.
create function provider_api.rewrap_data_key(
  p_workspace_id text, p_kid text, p_present_wrapped_key text, p_wrapped_key text, p_root_key_id text,
  out rewrapped boolean
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  update public.workspace_keys set wrapped_key = p_wrapped_key, root_key_id = p_root_key_id
    where workspace_id = p_workspace_id and kid = p_kid and wrapped_key = p_present_wrapped_key;
  rewrapped := found;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

grant execute on function
  provider_api.list_data_keys(text, text, integer),
  provider_api.rewrap_data_key(text, text, text, text, text)
to provider_manager;

reset role;
