-- Which rows each role may see and write. Row-level security is forced, so it binds the tables' owner, and with it
-- every function that runs as the owner. What a role may do at all is in 0012_grants.
set local role provider_owner;

alter table public.workspace_providers enable row level security, force row level security;
alter table public.workspace_keys enable row level security, force row level security;
alter table public.provider_versions enable row level security, force row level security;
alter table public.provider_changes enable row level security, force row level security;
alter table public.provider_epoch enable row level security, force row level security;
alter table public.provider_invalidations enable row level security, force row level security;
alter table public.resolver_workers enable row level security, force row level security;
alter table public.provider_rotations enable row level security, force row level security;
alter table public.provider_events enable row level security, force row level security;
alter table public.provider_use enable row level security, force row level security;

-- Credentials and data keys: only the workspace in `app.workspace_id`, for our functions and for other services.
-- nullif: after a transaction that set it, the setting is '' and no longer null.
create policy own_workspace on public.workspace_providers to provider_owner, provider_tenant
  using (workspace_id = nullif(current_setting('app.workspace_id', true), ''))
  with check (workspace_id = nullif(current_setting('app.workspace_id', true), ''));
create policy own_workspace on public.workspace_keys to provider_owner, provider_tenant
  using (workspace_id = nullif(current_setting('app.workspace_id', true), ''))
  with check (workspace_id = nullif(current_setting('app.workspace_id', true), ''));

-- A workspace's own services read its audit and its uses.
create policy own_workspace on public.provider_events for select to provider_tenant
  using (workspace_id = nullif(current_setting('app.workspace_id', true), ''));
create policy own_workspace on public.provider_use for select to provider_tenant
  using (workspace_id = nullif(current_setting('app.workspace_id', true), ''));

-- Only triggers and number_changes use these tables. They run for every writer, and a row may come from any workspace.
create policy only_triggers on public.provider_changes to provider_owner using (true) with check (true);
create policy only_triggers on public.provider_versions to provider_owner using (true) with check (true);

-- Only functions and triggers use these tables.
create policy only_functions on public.provider_epoch to provider_owner using (true) with check (true);
create policy only_functions on public.provider_invalidations to provider_owner using (true) with check (true);
create policy only_functions on public.resolver_workers to provider_owner using (true) with check (true);
create policy only_functions on public.provider_rotations to provider_owner using (true) with check (true);
create policy only_functions on public.provider_use to provider_owner using (true) with check (true);

-- The audit is read and appended to, and has no policy for anything else.
create policy functions_read on public.provider_events for select to provider_owner using (true);
create policy functions_append on public.provider_events for insert to provider_owner with check (true);

-- Reading every workspace is a role and not a setting. Any SQL that runs as the owner could make a setting: a function
-- that was taken over, or that failed to put it back. See docs/adr/0010.
create policy auditor_reads on public.workspace_providers for select to provider_auditor using (true);
create policy auditor_reads on public.workspace_keys for select to provider_auditor using (true);
create policy auditor_reads on public.provider_rotations for select to provider_auditor using (true);
create policy auditor_reads on public.provider_events for select to provider_auditor using (true);

reset role;
