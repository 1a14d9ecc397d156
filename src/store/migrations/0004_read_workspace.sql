-- The worker's only way to a row: one call, one round trip, one snapshot, row-level security in force inside.
set local role provider_owner;

-- The epoch is 0 until changes are counted. Data keys: the active one first, it seals; retired ones still open.
create function provider_api.read_workspace(
  p_workspace_id text, out epoch bigint, out data_keys json, out providers json
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
-- Both look-ups are by key, so one plan fits every workspace; on small tables Postgres would plan at each call, which
-- costs as much again as the reading.
set plan_cache_mode = force_generic_plan as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  select 0,
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
  into epoch, data_keys, providers;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

grant execute on function provider_api.read_workspace(text) to provider_resolver, provider_manager;

reset role;
