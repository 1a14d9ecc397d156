-- Which credential was handed to whose steps, by the minute. Workers count in memory and add what they counted.
set local role provider_owner;

create table public.provider_use (
  workspace_id text collate "C" not null,
  provider_type text collate "C" not null,
  provider_name text collate "C" not null,
  minute timestamptz not null,
  version bigint not null,
  workflow_type text collate "C" not null,
  workflow_id text collate "C" not null,
  count bigint not null,
  primary key (workspace_id, provider_type, provider_name, minute, version, workflow_type, workflow_id),
  constraint workspace_id check (workspace_id ~ '^[A-Za-z0-9_.:-]{1,128}$'),
  constraint provider_type check (provider_type ~ '^[a-z][a-z0-9-]{0,31}$'),
  constraint provider_name check (provider_name ~ '^[a-z0-9_.:-]{1,64}$'),
  constraint count check (count > 0)
);
comment on column public.provider_use.minute is 'by the worker’s clock';
comment on column public.provider_use.version is '0: the platform’s credential, as a fallback';
comment on column public.provider_use.workflow_id is 'empty, as the type is: no step of a workflow';
-- For whoever lets go of what is old.
create index provider_use_by_minute on public.provider_use (minute);

alter table public.provider_use enable row level security, force row level security;
create policy functions_alone on public.provider_use to provider_owner using (true) with check (true);
create policy own_workspace on public.provider_use for select to provider_tenant
  using (workspace_id = nullif(current_setting('app.workspace_id', true), ''));
grant select on public.provider_use to provider_tenant;

-- One use of each array's place. In the order of the key, so that two workers' batches never wait for each other in a
-- ring. What is too long for an index is cut: Temporal's own limit for a name is 1,000 bytes.
create function provider_api.record_use(
  p_workspace_ids text[], p_provider_types text[], p_provider_names text[], p_minutes timestamptz[], p_versions bigint[],
  p_workflow_types text[], p_workflow_ids text[], p_counts bigint[]
) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into public.provider_use as present
      (workspace_id, provider_type, provider_name, minute, version, workflow_type, workflow_id, count)
    select workspace_id, provider_type, provider_name, date_trunc('minute', minute), version,
      case when octet_length(workflow_type) <= 250 then workflow_type else left(workflow_type, 60) end,
      case when octet_length(workflow_id) <= 1000 then workflow_id else left(workflow_id, 250) end,
      sum(count)
    from unnest(p_workspace_ids, p_provider_types, p_provider_names, p_minutes, p_versions, p_workflow_types,
        p_workflow_ids, p_counts)
      as used (workspace_id, provider_type, provider_name, minute, version, workflow_type, workflow_id, count)
    group by 1, 2, 3, 4, 5, 6, 7
    order by 1, 2, 3, 4, 5, 6, 7
    on conflict (workspace_id, provider_type, provider_name, minute, version, workflow_type, workflow_id)
      do update set count = present.count + excluded.count;
end;

-- Which workflows used it, the last user first. No version: any. Times: the minutes that they fall into, and between.
create function provider_api.list_provider_use(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_version bigint,
  p_from timestamptz, p_to timestamptz, p_limit integer
)
returns table (
  version bigint, workflow_type text, workflow_id text, count bigint, first_used_at timestamptz, last_used_at timestamptz
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select version, workflow_type, workflow_id, sum(count)::bigint, min(minute), max(minute) as last_used_at
  from public.provider_use
  where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
    and (p_version is null or version = p_version)
    and minute >= coalesce(date_trunc('minute', p_from), '-infinity') and minute <= coalesce(p_to, 'infinity')
  group by version, workflow_type, workflow_id
  order by last_used_at desc, version desc, workflow_type, workflow_id limit p_limit;
end;

-- Lets go of at most so many rows of minutes before that time, and answers how many: none are left where it is fewer.
-- The last use of each provider stays.
create function provider_api.prune_use(p_before timestamptz, p_limit integer, out pruned bigint)
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  with
    old as (
      select ctid from public.provider_use as u
      where minute < p_before and exists (
        select from public.provider_use as later
        where (later.workspace_id, later.provider_type, later.provider_name)
            = (u.workspace_id, u.provider_type, u.provider_name)
          and later.minute > u.minute
      )
      limit p_limit
    ),
    gone as (delete from public.provider_use where ctid in (select ctid from old) returning 1)
  select count(*) from gone;
end;

-- As before, and when it was last used.
drop function provider_api.list_providers(text);
create function provider_api.list_providers(p_workspace_id text)
returns table (
  provider_type text, provider_name text, config jsonb, encrypted_config text, status text, version bigint,
  rotate_every text, rotated_at timestamptz, last_check_outcome text, last_check_at timestamptz,
  created_at timestamptz, updated_at timestamptz, last_used_at timestamptz
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  return query
    select p.provider_type, p.provider_name, p.config, p.encrypted_config, p.status, p.version,
      p.rotate_every::text, p.rotated_at, p.last_check_outcome, p.last_check_at, p.created_at, p.updated_at,
      (select max(u.minute) from public.provider_use as u
        where (u.workspace_id, u.provider_type, u.provider_name) = (p.workspace_id, p.provider_type, p.provider_name))
    from public.workspace_providers as p where p.workspace_id = p_workspace_id
    order by p.provider_type, p.provider_name;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

grant execute on function
  provider_api.list_providers(text),
  provider_api.list_provider_use(text, text, text, bigint, timestamptz, timestamptz, integer),
  provider_api.prune_use(timestamptz, integer)
to provider_manager;
grant execute on function
  provider_api.record_use(text[], text[], text[], timestamptz[], bigint[], text[], text[], bigint[])
to provider_resolver;

reset role;
