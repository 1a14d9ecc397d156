-- More functions of provider_manager: rotations, stage by stage, and those that a schedule starts. Each may be called
-- again with the same result, because a process may be killed before it learns that its call succeeded.
-- `outer_workspace` is explained at read_workspace in 0006_resolver_functions.
set local role provider_owner;

-- Returns `staged`, `not-configured`, `changed` if the provider is not at `p_from_version`, or `in-progress` if it has
-- another rotation. A rotation that was staged and has not begun is replaced, unless a caller that is about to start its
-- workflow staged it within the last minute (`p_starts_now`): of two callers at once, the first one wins. Without
-- `p_requested_by` the login is recorded.
create or replace function provider_api.stage_rotation(
  p_rotation_id text, p_workspace_id text, p_provider_type text, p_provider_name text, p_from_version bigint,
  p_origin text, p_next_encrypted_config text, p_requested_by text, p_starts_now boolean, out outcome text
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
  present bigint;
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  select version into present from public.workspace_providers
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name;
  outcome := case when present is null then 'not-configured' when present <> p_from_version then 'changed'
    else 'staged' end;
  perform set_config('app.workspace_id', outer_workspace, true);
  if outcome <> 'staged' then
    return;
  end if;
  update public.provider_rotations
    set state = 'failed', reason = 'replaced before it began', next_encrypted_config = null, ended_at = now()
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
      and ended_at is null and workflow_id is null and (starting_until > now()) is not true;
  insert into public.provider_rotations
      (rotation_id, workspace_id, provider_type, provider_name, from_version, origin, next_encrypted_config,
        requested_by, starter, starting_until)
    values (p_rotation_id, p_workspace_id, p_provider_type, p_provider_name, p_from_version, p_origin,
      p_next_encrypted_config, coalesce(p_requested_by, session_user),
      case when p_starts_now then p_rotation_id end, case when p_starts_now then now() + interval '1 minute' end)
    on conflict do nothing;
  if not found then
    outcome := 'in-progress';
  end if;
end $$;

-- Returns the id of the provider's rotation that has begun and has not ended, or null.
create or replace function provider_api.find_open_rotation(
  p_workspace_id text, p_provider_type text, p_provider_name text, out rotation_id text
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  select r.rotation_id into find_open_rotation.rotation_id from public.provider_rotations as r
    where (r.workspace_id, r.provider_type, r.provider_name) = (p_workspace_id, p_provider_type, p_provider_name)
      and r.ended_at is null and r.workflow_id is not null;
end $$;

-- The providers that have one, in the order of the rotations' ids, from the first after `p_after`.
create or replace function provider_api.list_open_rotations(p_after text, p_limit integer)
returns table (
  rotation_id text, workspace_id text, provider_type text, provider_name text, state text, workflow_id text,
  updated_at timestamptz
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select rotation_id, workspace_id, provider_type, provider_name, state, workflow_id, updated_at
  from public.provider_rotations
  where ended_at is null and workflow_id is not null and rotation_id > p_after
  order by rotation_id limit p_limit;
end;

-- Binds the rotation to its workflow, only while the provider is at the version that the rotation was staged at: the
-- next credential was sealed for the config of that version. Returns one of:
--   `begun`    also if an earlier call of the same workflow has begun it
--   `changed`  the provider has changed since the rotation was staged
--   `ended`    the rotation does not exist, has ended, or belongs to another workflow
create or replace function provider_api.begin_rotation(
  p_rotation_id text, p_workflow_id text, out outcome text, out origin text, out from_version bigint
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
  rotation public.provider_rotations;
begin
  select * into rotation from public.provider_rotations where rotation_id = p_rotation_id for update;
  origin := rotation.origin;
  from_version := rotation.from_version;
  outcome := case
    when rotation.rotation_id is null or rotation.ended_at is not null or rotation.workflow_id <> p_workflow_id
      then 'ended'
    when rotation.workflow_id = p_workflow_id then 'begun'
  end;
  if outcome is not null then
    return;
  end if;
  perform set_config('app.workspace_id', rotation.workspace_id, true);
  perform from public.workspace_providers as p
    where (p.workspace_id, p.provider_type, p.provider_name)
        = (rotation.workspace_id, rotation.provider_type, rotation.provider_name)
      and p.version = rotation.from_version;
  outcome := case when found then 'begun' else 'changed' end;
  perform set_config('app.workspace_id', outer_workspace, true);
  if outcome = 'begun' then
    update public.provider_rotations set workflow_id = p_workflow_id, updated_at = now()
      where rotation_id = p_rotation_id;
  end if;
end $$;

create or replace function provider_api.read_rotation(p_rotation_id text) returns setof public.provider_rotations
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select * from public.provider_rotations where rotation_id = p_rotation_id;
end;

-- `stored` is false if the rotation has a credential already, or is past that stage.
create or replace function provider_api.store_issued_credential(
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

-- Moves only forward: a call for a stage that the rotation has already reached changes nothing. `is_open` is false if
-- the rotation has ended or does not exist.
create or replace function provider_api.advance_rotation(p_rotation_id text, p_state text, out is_open boolean)
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  update public.provider_rotations set state = p_state, updated_at = now()
    where rotation_id = p_rotation_id and ended_at is null
      and array_position(array['staged', 'checked', 'activated', 'fenced', 'drained'], state)
        < array_position(array['staged', 'checked', 'activated', 'fenced', 'drained'], p_state);
  select exists (select from public.provider_rotations where rotation_id = p_rotation_id and ended_at is null);
end;

-- Replaces the credential and updates the rotation in one transaction, and only at the version that the rotation
-- started from. Returns one of:
--   `activated`  with the new version, also if an earlier call has activated it
--   `changed`    the provider has changed since the rotation began
--   `not-ready`  the rotation is not checked, or has no next credential
create or replace function provider_api.activate_rotation(p_rotation_id text, out outcome text, out new_version bigint)
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

-- Restores the previous credential, as a new version; the one that was activated becomes the one to revoke. Returns
-- one of:
--   `activated`  with the new version, also if an earlier call has rolled it back
--   `changed`    the provider has changed since the activation
--   `not-ready`  there is nothing to restore
create or replace function provider_api.roll_back_rotation(
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

-- Without a state the rotation ends in the state that it is in. `p_abandoned`: its workflow has not ended it.
create or replace function provider_api.end_rotation(p_rotation_id text, p_state text, p_reason text, p_abandoned boolean)
returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  update public.provider_rotations
    set state = coalesce(p_state, state), reason = left(coalesce(p_reason, reason), 2000), abandoned = p_abandoned,
      next_encrypted_config = null, previous_encrypted_config = null, updated_at = now(), ended_at = now()
    where rotation_id = p_rotation_id and ended_at is null;
end;

-- Rotations and events that schedules start. The lists that they work through are in 0009_auditor_functions.

-- By column, because provider_auditor may not read a whole row, which includes the sealed credential.
create or replace function provider_api.is_due(p_status text, p_rotated_at timestamptz, p_rotate_every interval) returns boolean
language sql stable
return p_status = 'active' and p_rotated_at <= now() - p_rotate_every;

-- Returns one of:
--   `staged`        with the rotation to start: one that was staged ahead of time, or else a new one whose credential
--                   the service is to issue, if it can (`p_can_be_issued`)
--   `needs-person`  there is neither
--   `passed`        the provider is no longer due, or another caller handles it
-- It replaces nothing. A rotation that another caller is about to start is left to that caller; one that it returns is
-- the caller's own for a minute.
create or replace function provider_api.stage_due_rotation(
  p_rotation_id text, p_workspace_id text, p_provider_type text, p_provider_name text,
  p_can_be_issued boolean, p_requested_by text, out outcome text, out staged_id text
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
  staged public.provider_rotations;
  present bigint;
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  select p.version into present from public.workspace_providers as p
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
      and provider_api.is_due(p.status, p.rotated_at, p.rotate_every);
  outcome := case when found then 'needs-person' else 'passed' end;
  perform set_config('app.workspace_id', outer_workspace, true);
  if outcome = 'passed' then
    return;
  end if;
  if p_can_be_issued then
    insert into public.provider_rotations
        (rotation_id, workspace_id, provider_type, provider_name, from_version, origin, requested_by)
      values (p_rotation_id, p_workspace_id, p_provider_type, p_provider_name, present, 'issued', p_requested_by)
      on conflict do nothing;
  end if;
  select * into staged from public.provider_rotations
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
      and ended_at is null
    for update;
  if not found then
    return;
  end if;
  outcome := 'passed';
  if staged.workflow_id is null
    and (staged.starter is not distinct from p_requested_by or (staged.starting_until > now()) is not true)
  then
    update public.provider_rotations set starter = p_requested_by, starting_until = now() + interval '1 minute'
      where rotation_id = staged.rotation_id;
    outcome := 'staged';
    staged_id := staged.rotation_id;
  end if;
end $$;

-- Records an event once per version. `raised` is false if it was recorded for this version before, or the provider is
-- at another version by now.
create or replace function provider_api.raise_event_once(
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
      where event in ('rotation-overdue', 'credential-rejected', 'credential-unreadable') do nothing;
  raised := found;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

reset role;
