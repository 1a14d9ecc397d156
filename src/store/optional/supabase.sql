-- Optional, for Supabase: a signed-in user reads what his workspace has configured, through the REST API, without what
-- is sealed. `workspace-providers migrate` does not apply it; an administrator does, after it, and may do so again:
--   psql "$DATABASE_URL" -f node_modules/workspace-providers/src/store/optional/supabase.sql
-- The workspace is the claim `app_metadata.workspace_id`, which servers alone may write; never take it from
-- `user_metadata`, which users write themselves. Nobody writes through this: sealing needs the root key.
begin;
set local role provider_owner;

grant select (
  workspace_id, provider_type, provider_name, config, status, version, rotate_every, rotated_at, last_check_outcome,
  last_check_at, created_at, updated_at
) on public.workspace_providers to authenticated;
-- Without the actor: operators are nobody's business there.
grant select (event_id, at, workspace_id, provider_type, provider_name, version, event)
  on public.provider_events to authenticated;

-- In a subquery, so that the claims are parsed once a statement and not at each row. No claims, or none of a
-- workspace: null, which equals nothing.
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
