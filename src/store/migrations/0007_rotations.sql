-- A rotation: its next credential sealed until it is activated, its previous one until it is revoked or brought back.
-- Every step is a function that can be called again: whoever made it may be killed before it knows that it did.
set local role provider_owner;

alter table public.workspace_providers add column key_id text,
  add constraint key_id check (key_id ~ '^[!-~]{1,255}$');
comment on column public.workspace_providers.key_id is 'what the service calls the credential, where it made it for us';

create table public.provider_rotations (
  rotation_id text collate "C" primary key,
  workspace_id text collate "C" not null,
  provider_type text collate "C" not null,
  provider_name text collate "C" not null,
  state text not null default 'staged',
  origin text not null,
  workflow_id text,
  next_encrypted_config text,
  next_key_id text,
  previous_encrypted_config text,
  previous_key_id text,
  from_version bigint,
  to_version bigint,
  rolled_back boolean not null default false,
  reason text,
  requested_by text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  ended_at timestamptz,
  constraint rotation_id check (rotation_id ~ '^[A-Za-z0-9_-]{1,64}$'),
  constraint rotation_state check (
    state in ('staged', 'checked', 'activated', 'fenced', 'drained', 'revoked', 'rolled-back', 'failed')
  ),
  constraint origin check (origin in ('given', 'issued')),
  constraint requested_by check (length(requested_by) <= 200),
  -- The sealed columns are emptied at the end.
  constraint ended check (
    ended_at is null or (next_encrypted_config is null and previous_encrypted_config is null)
  )
);
create unique index provider_rotations_one_at_a_time
  on public.provider_rotations (workspace_id, provider_type, provider_name) where ended_at is null;
create index provider_rotations_by_time on public.provider_rotations (workspace_id, created_at);

alter table public.provider_rotations enable row level security, force row level security;
create policy functions_alone on public.provider_rotations to provider_owner using (true) with check (true);

-- As before; and a credential that is replaced loses the name that its service had for it.
create or replace function provider_api.raise_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
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

  new.version := 1 + greatest(old.version, 0, (
    select last.version from public.provider_versions as last
    where (last.workspace_id, last.provider_type, last.provider_name)
      = (new.workspace_id, new.provider_type, new.provider_name)
  ));
  new.updated_at := now();
  if tg_op = 'INSERT' or new.encrypted_config is distinct from old.encrypted_config then
    new.rotated_at := now();
    if tg_op = 'UPDATE' and new.key_id is not distinct from old.key_id then
      new.key_id := null;
    end if;
  end if;
  -- A check speaks of one version.
  new.last_check_outcome := null;
  new.last_check_at := null;
  return new;
end $$;

-- Answers `staged`, `not-configured`, or `in-progress`: there is another one. One that was staged and never begun gives
-- way: whoever staged it may have been unable to start its workflow.
create function provider_api.stage_rotation(
  p_rotation_id text, p_workspace_id text, p_provider_type text, p_provider_name text,
  p_origin text, p_next_encrypted_config text, p_requested_by text, out outcome text
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  perform from public.workspace_providers
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name;
  outcome := case when found then 'staged' else 'not-configured' end;
  perform set_config('app.workspace_id', outer_workspace, true);
  if outcome <> 'staged' then
    return;
  end if;
  update public.provider_rotations
    set state = 'failed', reason = 'replaced before it began', next_encrypted_config = null, ended_at = now()
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
      and ended_at is null and workflow_id is null;
  insert into public.provider_rotations
      (rotation_id, workspace_id, provider_type, provider_name, origin, next_encrypted_config, requested_by)
    values (p_rotation_id, p_workspace_id, p_provider_type, p_provider_name, p_origin, p_next_encrypted_config,
      p_requested_by)
    on conflict do nothing;
  if not found then
    outcome := 'in-progress';
  end if;
end $$;

-- Binds the rotation to its workflow and to the version that it starts from. No row: it is not there, or another's.
create function provider_api.begin_rotation(p_rotation_id text, p_workflow_id text)
returns setof public.provider_rotations
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', (
    select workspace_id from public.provider_rotations where rotation_id = p_rotation_id
  ), true);
  return query
    update public.provider_rotations as r
      set workflow_id = p_workflow_id, updated_at = now(),
        from_version = coalesce(r.from_version, (
          select p.version from public.workspace_providers as p
          where (p.workspace_id, p.provider_type, p.provider_name)
            = (r.workspace_id, r.provider_type, r.provider_name)
        ))
      where rotation_id = p_rotation_id and ended_at is null and coalesce(workflow_id, p_workflow_id) = p_workflow_id
      returning r.*;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

create function provider_api.read_rotation(p_rotation_id text) returns setof public.provider_rotations
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select * from public.provider_rotations where rotation_id = p_rotation_id;
end;

-- False where a credential is there already, or the rotation is past that.
create function provider_api.store_issued_credential(
  p_rotation_id text, p_next_encrypted_config text, p_key_id text, out stored boolean
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update public.provider_rotations
    set next_encrypted_config = p_next_encrypted_config, next_key_id = p_key_id, updated_at = now()
    where rotation_id = p_rotation_id and state = 'staged' and origin = 'issued' and next_encrypted_config is null
      and ended_at is null;
  stored := found;
end $$;

-- Forward only: to be told again of a stage that is past changes nothing.
create function provider_api.advance_rotation(p_rotation_id text, p_state text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  update public.provider_rotations set state = p_state, updated_at = now()
    where rotation_id = p_rotation_id and ended_at is null
      and array_position(array['staged', 'checked', 'activated', 'fenced', 'drained'], state)
        < array_position(array['staged', 'checked', 'activated', 'fenced', 'drained'], p_state);
end;

-- In one transaction, and only over the version that the rotation started from. Answers `activated` with the new
-- version, also when it was called before; `changed` where the provider was changed meanwhile; `not-ready`.
create function provider_api.activate_rotation(p_rotation_id text, out outcome text, out new_version bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
  rotation public.provider_rotations;
  present public.workspace_providers;
begin
  select * into rotation from public.provider_rotations where rotation_id = p_rotation_id for update;
  if rotation.state in ('activated', 'fenced', 'drained') then
    outcome := 'activated';
    new_version := rotation.to_version;
    return;
  end if;
  if rotation.state is distinct from 'checked' or rotation.next_encrypted_config is null then
    outcome := 'not-ready';
    return;
  end if;
  perform set_config('app.workspace_id', rotation.workspace_id, true);
  select * into present from public.workspace_providers
    where (workspace_id, provider_type, provider_name)
      = (rotation.workspace_id, rotation.provider_type, rotation.provider_name)
      and version = rotation.from_version
    for update;
  if found then
    update public.workspace_providers
      set encrypted_config = rotation.next_encrypted_config, key_id = rotation.next_key_id
      where (workspace_id, provider_type, provider_name)
        = (rotation.workspace_id, rotation.provider_type, rotation.provider_name)
      returning version into new_version;
    update public.provider_rotations
      set state = 'activated', to_version = new_version, updated_at = now(),
        previous_encrypted_config = present.encrypted_config, previous_key_id = present.key_id
      where rotation_id = p_rotation_id;
  end if;
  outcome := case when new_version is null then 'changed' else 'activated' end;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

-- Brings the previous credential back, as one more version; what was activated becomes what is to be revoked. Answers
-- `activated`, also when it was called before; `changed`; `not-ready` where there is nothing to bring back.
create function provider_api.roll_back_rotation(
  p_rotation_id text, p_reason text, out outcome text, out new_version bigint
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
  rotation public.provider_rotations;
begin
  select * into rotation from public.provider_rotations where rotation_id = p_rotation_id for update;
  if rotation.rolled_back then
    outcome := 'activated';
    new_version := rotation.to_version;
    return;
  end if;
  if rotation.state is null or rotation.state not in ('activated', 'fenced', 'drained')
    or rotation.previous_encrypted_config is null
  then
    outcome := 'not-ready';
    return;
  end if;
  perform set_config('app.workspace_id', rotation.workspace_id, true);
  update public.workspace_providers
    set encrypted_config = rotation.previous_encrypted_config, key_id = rotation.previous_key_id
    where (workspace_id, provider_type, provider_name)
      = (rotation.workspace_id, rotation.provider_type, rotation.provider_name)
      and version = rotation.to_version
    returning version into new_version;
  if found then
    update public.provider_rotations
      set state = 'activated', rolled_back = true, reason = p_reason, updated_at = now(),
        from_version = rotation.to_version, to_version = new_version,
        next_encrypted_config = rotation.previous_encrypted_config, next_key_id = rotation.previous_key_id,
        previous_encrypted_config = rotation.next_encrypted_config, previous_key_id = rotation.next_key_id
      where rotation_id = p_rotation_id;
  end if;
  outcome := case when new_version is null then 'changed' else 'activated' end;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

-- No state: it ends where it is.
create function provider_api.end_rotation(p_rotation_id text, p_state text, p_reason text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  update public.provider_rotations
    set state = coalesce(p_state, state), reason = coalesce(p_reason, reason), next_encrypted_config = null,
      previous_encrypted_config = null, updated_at = now(), ended_at = now()
    where rotation_id = p_rotation_id and ended_at is null;
end;

-- Without what is sealed; the newest first. No workspace: of all.
create function provider_api.list_rotations(p_workspace_id text, p_limit integer)
returns table (
  rotation_id text, workspace_id text, provider_type text, provider_name text, state text, origin text,
  workflow_id text, from_version bigint, to_version bigint, rolled_back boolean, reason text, requested_by text,
  created_at timestamptz, updated_at timestamptz, ended_at timestamptz
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select rotation_id, workspace_id, provider_type, provider_name, state, origin, workflow_id, from_version, to_version,
    rolled_back, reason, requested_by, created_at, updated_at, ended_at
  from public.provider_rotations
  where p_workspace_id is null or workspace_id = p_workspace_id
  order by created_at desc, rotation_id limit p_limit;
end;

grant execute on function
  provider_api.stage_rotation(text, text, text, text, text, text, text),
  provider_api.begin_rotation(text, text),
  provider_api.read_rotation(text),
  provider_api.store_issued_credential(text, text, text),
  provider_api.advance_rotation(text, text),
  provider_api.activate_rotation(text),
  provider_api.roll_back_rotation(text, text),
  provider_api.end_rotation(text, text, text),
  provider_api.list_rotations(text, integer)
to provider_manager;

reset role;
