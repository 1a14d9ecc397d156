-- What schedules ask of all workspaces at once, and the audit of what happened to providers: whose rotation is due, who
-- is to be checked, and what a person must be told once.
set local role provider_owner;

-- Append-only: nobody may change what was written, the owner neither.
create table public.provider_events (
  event_id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  workspace_id text collate "C" not null,
  provider_type text collate "C" not null,
  provider_name text collate "C" not null,
  version bigint,
  event text collate "C" not null,
  actor text not null,
  details jsonb not null default '{}',
  constraint event check (event ~ '^[a-z][a-z-]{0,63}$'),
  constraint actor check (length(actor) between 1 and 200),
  constraint details check (jsonb_typeof(details) = 'object' and octet_length(details::text) <= 4096)
);
comment on column public.provider_events.details is 'names and counts, never a secret';
create index provider_events_by_workspace on public.provider_events (workspace_id, event_id);
-- What lasts is told once, however often it is found: another version is another matter.
create unique index provider_events_once
  on public.provider_events (workspace_id, provider_type, provider_name, version, event)
  where event in ('rotation-overdue', 'credential-rejected');

alter table public.provider_events enable row level security, force row level security;
create policy functions_read on public.provider_events for select to provider_owner using (true);
create policy functions_append on public.provider_events for insert to provider_owner with check (true);
create policy own_workspace on public.provider_events for select to provider_tenant
  using (workspace_id = nullif(current_setting('app.workspace_id', true), ''));
revoke update, delete, truncate on public.provider_events from provider_owner;
grant select on public.provider_events to provider_tenant;

-- Schedules look over every workspace, and only the functions that say so do: they hand out who is there, never what is
-- sealed.
create policy every_workspace on public.workspace_providers for select to provider_owner
  using (current_setting('app.every_workspace', true) = 'on');

create index workspace_providers_rotated on public.workspace_providers (workspace_id, provider_type, provider_name)
  where rotate_every is not null;

-- A workspace's own services may write both columns, and schedules look at every row at once: no row may be such that
-- looking at it fails. So the interval is bounded, and nothing is added to the time.
alter table public.workspace_providers
  drop constraint rotate_every,
  add constraint rotate_every check (rotate_every > interval '0' and rotate_every <= interval '100 years');

create function provider_api.is_due(p public.workspace_providers) returns boolean
language sql stable
return p.status = 'active' and p.rotated_at <= now() - p.rotate_every;

-- Those of which no rotation is under way, after the given one in the order of their keys; empty texts: from the first.
create function provider_api.list_due_rotations(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_limit integer
)
returns table (workspace_id text, provider_type text, provider_name text, version bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_scope text := current_setting('app.every_workspace', true);
begin
  perform set_config('app.every_workspace', 'on', true);
  return query
    select p.workspace_id, p.provider_type, p.provider_name, p.version
    from public.workspace_providers as p
    where (p.workspace_id, p.provider_type, p.provider_name) > (p_workspace_id, p_provider_type, p_provider_name)
      and provider_api.is_due(p)
      and not exists (
        select from public.provider_rotations as r
        where (r.workspace_id, r.provider_type, r.provider_name) = (p.workspace_id, p.provider_type, p.provider_name)
          and r.ended_at is null and r.workflow_id is not null
      )
    order by p.workspace_id, p.provider_type, p.provider_name limit p_limit;
  perform set_config('app.every_workspace', outer_scope, true);
end $$;

-- Whoever is active, after the given one in the order of their keys; empty texts: from the first.
create function provider_api.list_active_providers(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_limit integer
)
returns table (workspace_id text, provider_type text, provider_name text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_scope text := current_setting('app.every_workspace', true);
begin
  perform set_config('app.every_workspace', 'on', true);
  return query
    select p.workspace_id, p.provider_type, p.provider_name
    from public.workspace_providers as p
    where (p.workspace_id, p.provider_type, p.provider_name) > (p_workspace_id, p_provider_type, p_provider_name)
      and p.status = 'active'
    order by p.workspace_id, p.provider_type, p.provider_name limit p_limit;
  perform set_config('app.every_workspace', outer_scope, true);
end $$;

-- Answers `staged` with the rotation that is to be started: one that was staged ahead, else one whose credential the
-- service is to make, where it can. `needs-person`: there is neither. `passed`: not due any more, or another's. Replaces
-- nothing, and one that was staged within the last minute belongs to whoever staged it and may be about to start it.
create function provider_api.stage_due_rotation(
  p_rotation_id text, p_workspace_id text, p_provider_type text, p_provider_name text,
  p_can_be_issued boolean, p_requested_by text, out outcome text, out staged_id text
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
  staged public.provider_rotations;
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  perform from public.workspace_providers as p
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
      and provider_api.is_due(p);
  outcome := case when found then 'needs-person' else 'passed' end;
  perform set_config('app.workspace_id', outer_workspace, true);
  if outcome = 'passed' then
    return;
  end if;
  if p_can_be_issued then
    insert into public.provider_rotations
        (rotation_id, workspace_id, provider_type, provider_name, origin, requested_by)
      values (p_rotation_id, p_workspace_id, p_provider_type, p_provider_name, 'issued', p_requested_by)
      on conflict do nothing;
  end if;
  select * into staged from public.provider_rotations
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
      and ended_at is null;
  if not found then
    return;
  end if;
  outcome := 'passed';
  if staged.workflow_id is null
    and (staged.requested_by = p_requested_by or staged.created_at < now() - interval '1 minute')
  then
    outcome := 'staged';
    staged_id := staged.rotation_id;
  end if;
end $$;

-- Whether it was news: false where it was told of this version before, or the provider is at another one by now.
create function provider_api.raise_event_once(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_version bigint, p_event text, p_actor text,
  out raised boolean
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  insert into public.provider_events (workspace_id, provider_type, provider_name, version, event, actor)
    select workspace_id, provider_type, provider_name, version, p_event, p_actor from public.workspace_providers
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
      and version = p_version
    on conflict (workspace_id, provider_type, provider_name, version, event)
      where event in ('rotation-overdue', 'credential-rejected') do nothing;
  raised := found;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

-- Of how many a person was told, and still nothing was done.
create function provider_api.count_overdue(out overdue bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_scope text := current_setting('app.every_workspace', true);
begin
  perform set_config('app.every_workspace', 'on', true);
  select count(*) into overdue from public.workspace_providers as p
  where provider_api.is_due(p) and exists (
    select from public.provider_events as e
    where (e.workspace_id, e.provider_type, e.provider_name, e.version)
        = (p.workspace_id, p.provider_type, p.provider_name, p.version)
      and e.event = 'rotation-overdue'
  );
  perform set_config('app.every_workspace', outer_scope, true);
end $$;

-- The newest first. No workspace: of all.
create function provider_api.list_provider_events(p_workspace_id text, p_limit integer)
returns setof public.provider_events
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select * from public.provider_events
  where p_workspace_id is null or workspace_id = p_workspace_id
  order by event_id desc limit p_limit;
end;

-- No interval: it is rotated when somebody asks for it. False where there is no such provider.
create function provider_api.set_rotation_interval(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_rotate_every text, out changed boolean
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  update public.workspace_providers set rotate_every = p_rotate_every::interval
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name;
  changed := found;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

grant execute on function
  provider_api.list_due_rotations(text, text, text, integer),
  provider_api.list_active_providers(text, text, text, integer),
  provider_api.stage_due_rotation(text, text, text, text, boolean, text),
  provider_api.raise_event_once(text, text, text, bigint, text, text),
  provider_api.count_overdue(),
  provider_api.list_provider_events(text, integer),
  provider_api.set_rotation_interval(text, text, text, text)
to provider_manager;

reset role;
