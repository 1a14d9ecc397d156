-- The audit. Triggers write an event in the same transaction as the change, whichever role and client make the change,
-- so neither is committed without the other. Nobody may change an event.
set local role provider_owner;

create or replace function provider_api.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'provider_events is append-only: % is refused', lower(tg_op) using errcode = 'insufficient_privilege';
end $$;

-- A statement trigger refuses a superuser too, and also a statement that matches no row. The owner and superusers can
-- still drop or disable the trigger first.
create or replace trigger append_only before update or delete or truncate on public.provider_events
  for each statement execute function provider_api.refuse_change();

-- A caller states who acts, for one transaction, by set_config('app.actor', …, true).
create or replace function provider_api.acting() returns text
language sql stable set search_path = pg_catalog, pg_temp
return coalesce(nullif(left(current_setting('app.actor', true), 200), ''), session_user);

create or replace function provider_api.record_provider_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  changed text[];
  rotation public.provider_rotations;
begin
  if tg_op = 'UPDATE' then
    changed := array_remove(array[
      case when new.config <> old.config then 'config' end,
      case when new.encrypted_config <> old.encrypted_config then 'encrypted_config' end,
      case when new.status <> old.status then 'status' end,
      case when new.key_id is distinct from old.key_id then 'key_id' end,
      case when new.rotate_every is distinct from old.rotate_every then 'rotate_every' end
    ], null);
    if changed = '{}' then
      return null;
    end if;
    -- No two sealed texts are equal, so the open rotation that holds this one made the change: an activation if it is
    -- the rotation's next credential, a rollback if it is the previous one.
    select * into rotation from public.provider_rotations
      where workspace_id = new.workspace_id and provider_type = new.provider_type and provider_name = new.provider_name
        and ended_at is null and new.encrypted_config <> old.encrypted_config
        and new.encrypted_config in (next_encrypted_config, previous_encrypted_config);
    insert into public.provider_events
        (workspace_id, provider_type, provider_name, version, event, actor, details, workflow_id)
      values (new.workspace_id, new.provider_type, new.provider_name, new.version,
        case when new.status = old.status then 'changed' when new.status = 'active' then 'enabled' else 'disabled' end,
        case when rotation.next_encrypted_config = new.encrypted_config
          then coalesce(nullif(rotation.requested_by, ''), session_user) else provider_api.acting() end,
        jsonb_build_object('changed', changed), rotation.workflow_id);
    return null;
  end if;
  if tg_op = 'DELETE' then
    insert into public.provider_events (workspace_id, provider_type, provider_name, version, event, actor)
      values (old.workspace_id, old.provider_type, old.provider_name, old.version, 'removed', provider_api.acting());
  else
    insert into public.provider_events (workspace_id, provider_type, provider_name, version, event, actor)
      values (new.workspace_id, new.provider_type, new.provider_name, new.version, 'created', provider_api.acting());
  end if;
  return null;
end $$;

create or replace function provider_api.record_data_key_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  changed public.workspace_keys := case tg_op when 'DELETE' then old else new end;
begin
  if tg_op = 'UPDATE' and new is not distinct from old then
    return null;
  end if;
  insert into public.provider_events (workspace_id, event, actor, details)
    values (changed.workspace_id,
      case when tg_op = 'INSERT' then 'data-key-added' when tg_op = 'DELETE' then 'data-key-deleted'
        when new.wrapped_key <> old.wrapped_key then 'data-key-rewrapped' else 'data-key-changed' end,
      provider_api.acting(), jsonb_build_object('kid', changed.kid));
  return null;
end $$;

-- A truncate does not report its rows: it is one event, of all workspaces.
create or replace function provider_api.record_truncate() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into public.provider_events (workspace_id, event, actor, details)
    values ('*', 'truncated', provider_api.acting(), jsonb_build_object('table', tg_table_name));
  return null;
end $$;

-- One event per stage of a rotation, naming who requested it. Its reason is not copied: a person may have written it.
create or replace function provider_api.record_rotation() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  stage text;
begin
  if tg_op = 'INSERT' then
    stage := 'staged';
  elsif new.abandoned and not old.abandoned then
    stage := 'abandoned';
  elsif new.rolled_back and not old.rolled_back then
    stage := 'rollback-begun';
  elsif new.state <> old.state then
    stage := new.state;
  elsif old.workflow_id is null and new.workflow_id is not null then
    stage := 'begun';
  elsif old.ended_at is null and new.ended_at is not null then
    stage := 'ended';
  else
    return null;
  end if;
  insert into public.provider_events
      (workspace_id, provider_type, provider_name, version, event, actor, details, workflow_id)
    values (new.workspace_id, new.provider_type, new.provider_name, coalesce(new.to_version, new.from_version),
      'rotation-' || stage,
      case when stage = 'rollback-begun' then provider_api.acting()
        else coalesce(nullif(new.requested_by, ''), session_user) end,
      jsonb_strip_nulls(jsonb_build_object('rotationId', new.rotation_id, 'fromVersion', new.from_version)),
      new.workflow_id);
  return null;
end $$;

create or replace trigger record_change after insert or update or delete on public.workspace_providers
  for each row execute function provider_api.record_provider_change();
create or replace trigger record_truncate after truncate on public.workspace_providers
  for each statement execute function provider_api.record_truncate();
create or replace trigger record_change after insert or update or delete on public.workspace_keys
  for each row execute function provider_api.record_data_key_change();
create or replace trigger record_truncate after truncate on public.workspace_keys
  for each statement execute function provider_api.record_truncate();
create or replace trigger record_stage after insert or update on public.provider_rotations
  for each row execute function provider_api.record_rotation();

-- `always`, as in 0003_versions_and_epoch.
alter table public.provider_events enable always trigger append_only;
alter table public.workspace_providers
  enable always trigger record_change,
  enable always trigger record_truncate;
alter table public.workspace_keys
  enable always trigger record_change,
  enable always trigger record_truncate;
alter table public.provider_rotations enable always trigger record_stage;

reset role;
