-- Optional, for Supabase: signed-in users read through the REST API what their workspace has configured and what
-- happened to it, but no sealed credential. `workspace-providers migrate` does not apply this file. An administrator
-- applies it afterwards, and may apply it again:
--   psql "$DATABASE_URL" -f node_modules/workspace-providers/src/store/optional/supabase.sql
-- The workspace is the claim `app_metadata.workspace_id`, which only servers may write. Never take it from
-- `user_metadata`, which users write themselves. Users cannot write through this API: sealing needs the root key.
begin;
set local role provider_owner;

grant select (
  workspace_id, provider_type, provider_name, config, status, version, rotate_every, rotated_at, last_check_outcome,
  last_check_at, created_at, updated_at
) on public.workspace_providers to authenticated;
-- Not the columns that name who acted: operators are not the users' concern.
grant select (event_id, at, workspace_id, provider_type, provider_name, version, event)
  on public.provider_events to authenticated;

-- The subquery makes Postgres parse the claims once per statement instead of once per row. Without claims, or without a
-- workspace in them, it returns null, which equals no workspace.
drop policy if exists own_workspace_by_claim on public.workspace_providers;
create policy own_workspace_by_claim on public.workspace_providers for select to authenticated using (
  workspace_id = (
    select nullif(current_setting('request.jwt.claims', true), '')::jsonb -> 'app_metadata' ->> 'workspace_id'
  )
);
drop policy if exists own_workspace_by_claim on public.provider_events;
create policy own_workspace_by_claim on public.provider_events for select to authenticated using (
  workspace_id = (
    select nullif(current_setting('request.jwt.claims', true), '')::jsonb -> 'app_metadata' ->> 'workspace_id'
  )
);

commit;
