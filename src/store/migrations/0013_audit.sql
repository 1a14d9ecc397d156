-- The audit tells of every change to a provider and to a data key, by whatever hand: triggers write it, in the same
-- transaction as the change, so neither is there without the other. Nobody changes what was written.
set local role provider_owner;

-- Who was claimed to act stands in `actor`; what Postgres itself knows of the session stands beside it, and no caller
-- can say otherwise. Of a workspace as a whole (its data keys), and so of no provider: both names are null.
alter table public.provider_events
  add column workflow_id text,
  add column login text,
  add column application text,
  add column client_address inet,
  alter column login set default session_user,
  alter column application set default current_setting('application_name'),
  alter column client_address set default inet_client_addr(),
  alter column provider_type drop not null,
  alter column provider_name drop not null,
  add constraint provider check ((provider_type is null) = (provider_name is null)),
  add constraint workflow_id check (length(workflow_id) between 1 and 1000);
comment on column public.provider_events.actor is 'as whoever acts says; where nobody says, the login';
comment on column public.provider_events.login is 'as Postgres knows it; null before 0013_audit';
comment on column public.provider_events.client_address is 'behind a pooler, the pooler’s; null by a local socket';

create function provider_api.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'provider_events is append-only: % is refused', lower(tg_op) using errcode = 'insufficient_privilege';
end $$;

-- By statement, so that also one that would meet no row is refused, and a superuser's too. `always`: also where triggers
-- are off for replication. What is left to the owner and to superusers is to take the trigger away.
create trigger append_only before update or delete or truncate on public.provider_events
  for each statement execute function provider_api.refuse_change();

-- An actor may be claimed for one transaction: set_config('app.actor', …, true).
create function provider_api.acting() returns text
language sql stable set search_path = pg_catalog, pg_temp
return coalesce(nullif(left(current_setting('app.actor', true), 200), ''), session_user);

create function provider_api.record_provider_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  changed text[];
  rotation public.provider_rotations;
begin
  if tg_op = 'UPDATE' and (new.workspace_id, new.provider_type, new.provider_name)
    = (old.workspace_id, old.provider_type, old.provider_name)
  then
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
    -- No two sealed texts are equal, so it is the rotation that keeps this one that brings it, or brings it back.
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
  -- Moved to another place, by SQL: gone from the one and new in the other.
  if tg_op <> 'INSERT' then
    insert into public.provider_events (workspace_id, provider_type, provider_name, version, event, actor)
      values (old.workspace_id, old.provider_type, old.provider_name, old.version, 'removed', provider_api.acting());
  end if;
  if tg_op <> 'DELETE' then
    insert into public.provider_events (workspace_id, provider_type, provider_name, version, event, actor)
      values (new.workspace_id, new.provider_type, new.provider_name, new.version, 'created', provider_api.acting());
  end if;
  return null;
end $$;

create function provider_api.record_data_key_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  same constant boolean := tg_op = 'UPDATE' and (new.workspace_id, new.kid) = (old.workspace_id, old.kid);
begin
  if same and new is not distinct from old then
    return null;
  end if;
  if tg_op <> 'INSERT' and not same then
    insert into public.provider_events (workspace_id, event, actor, details)
      values (old.workspace_id, 'data-key-deleted', provider_api.acting(), jsonb_build_object('kid', old.kid));
  end if;
  if tg_op <> 'DELETE' then
    insert into public.provider_events (workspace_id, event, actor, details)
      values (new.workspace_id,
        case when not same then 'data-key-added' when new.wrapped_key <> old.wrapped_key then 'data-key-rewrapped'
          else 'data-key-changed' end,
        provider_api.acting(), jsonb_build_object('kid', new.kid));
  end if;
  return null;
end $$;

-- A truncate tells of no row: one event of every workspace.
create function provider_api.record_truncate() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into public.provider_events (workspace_id, event, actor, details)
    values ('*', 'truncated', provider_api.acting(), jsonb_build_object('table', tg_table_name));
  return null;
end $$;

-- Each stage of a rotation, with who asked for it. Its reason stays where it is: a person may have written it.
create function provider_api.record_rotation() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  stage text;
begin
  if tg_op = 'INSERT' then
    stage := 'staged';
  elsif new.rolled_back and not old.rolled_back then
    stage := 'turned-back';
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
      case when stage = 'turned-back' then provider_api.acting()
        else coalesce(nullif(new.requested_by, ''), session_user) end,
      jsonb_strip_nulls(jsonb_build_object('rotationId', new.rotation_id, 'fromVersion', new.from_version)),
      new.workflow_id);
  return null;
end $$;

create trigger record_change after insert or update or delete on public.workspace_providers
  for each row execute function provider_api.record_provider_change();
create trigger record_truncate after truncate on public.workspace_providers
  for each statement execute function provider_api.record_truncate();
create trigger record_change after insert or update or delete on public.workspace_keys
  for each row execute function provider_api.record_data_key_change();
create trigger record_truncate after truncate on public.workspace_keys
  for each statement execute function provider_api.record_truncate();
create trigger record_stage after insert or update on public.provider_rotations
  for each row execute function provider_api.record_rotation();
alter table public.provider_events enable always trigger append_only;
alter table public.workspace_providers
  enable always trigger record_change,
  enable always trigger record_truncate;
alter table public.workspace_keys
  enable always trigger record_change,
  enable always trigger record_truncate;
alter table public.provider_rotations enable always trigger record_stage;

-- What a worker met and could not open. Only of what is stored at that version: a worker can tell of nothing else.
create function provider_api.record_unreadable(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_version bigint, p_worker text, p_workflow_id text
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  insert into public.provider_events
      (workspace_id, provider_type, provider_name, version, event, actor, workflow_id)
    select workspace_id, provider_type, provider_name, version, 'credential-unreadable',
      coalesce(nullif(left(p_worker, 200), ''), session_user), nullif(left(p_workflow_id, 1000), '')
    from public.workspace_providers
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
      and version = p_version;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

-- As before, and now told who acts. An older build does not say, and is called by its login.
drop function provider_api.put_provider(text, text, text, jsonb, text, bigint);
create function provider_api.put_provider(
  p_workspace_id text, p_provider_type text, p_provider_name text,
  p_config jsonb, p_encrypted_config text, p_expected_version bigint, p_actor text default null,
  out new_version bigint
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
  outer_actor text := current_setting('app.actor', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  perform set_config('app.actor', coalesce(p_actor, outer_actor), true);
  if p_expected_version > 0 then
    update public.workspace_providers set config = p_config, encrypted_config = p_encrypted_config
      where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
        and version = p_expected_version
      returning version into new_version;
  else
    insert into public.workspace_providers as present
        (workspace_id, provider_type, provider_name, config, encrypted_config)
      values (p_workspace_id, p_provider_type, p_provider_name, p_config, p_encrypted_config)
      on conflict (workspace_id, provider_type, provider_name) do update
        set config = excluded.config, encrypted_config = excluded.encrypted_config
        where p_expected_version is null
      returning present.version into new_version;
  end if;
  perform set_config('app.workspace_id', outer_workspace, true);
  perform set_config('app.actor', outer_actor, true);
end $$;

drop function provider_api.set_provider_status(text, text, text, text);
create function provider_api.set_provider_status(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_status text, p_actor text default null,
  out new_version bigint
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
  outer_actor text := current_setting('app.actor', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  perform set_config('app.actor', coalesce(p_actor, outer_actor), true);
  update public.workspace_providers set status = p_status
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name
    returning version into new_version;
  perform set_config('app.workspace_id', outer_workspace, true);
  perform set_config('app.actor', outer_actor, true);
end $$;

drop function provider_api.remove_provider(text, text, text);
create function provider_api.remove_provider(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_actor text default null, out removed boolean
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
  outer_actor text := current_setting('app.actor', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  perform set_config('app.actor', coalesce(p_actor, outer_actor), true);
  delete from public.workspace_providers
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name;
  removed := found;
  perform set_config('app.workspace_id', outer_workspace, true);
  perform set_config('app.actor', outer_actor, true);
end $$;

drop function provider_api.set_rotation_interval(text, text, text, text);
create function provider_api.set_rotation_interval(
  p_workspace_id text, p_provider_type text, p_provider_name text, p_rotate_every text, p_actor text default null,
  out changed boolean
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
  outer_actor text := current_setting('app.actor', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  perform set_config('app.actor', coalesce(p_actor, outer_actor), true);
  update public.workspace_providers set rotate_every = p_rotate_every::interval
    where workspace_id = p_workspace_id and provider_type = p_provider_type and provider_name = p_provider_name;
  changed := found;
  perform set_config('app.workspace_id', outer_workspace, true);
  perform set_config('app.actor', outer_actor, true);
end $$;

drop function provider_api.delete_data_keys(text);
create function provider_api.delete_data_keys(p_workspace_id text, p_actor text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  outer_workspace text := current_setting('app.workspace_id', true);
  outer_actor text := current_setting('app.actor', true);
begin
  perform set_config('app.workspace_id', p_workspace_id, true);
  perform set_config('app.actor', coalesce(p_actor, outer_actor), true);
  delete from public.workspace_keys where workspace_id = p_workspace_id;
  perform set_config('app.workspace_id', outer_workspace, true);
  perform set_config('app.actor', outer_actor, true);
end $$;

grant execute on function
  provider_api.put_provider(text, text, text, jsonb, text, bigint, text),
  provider_api.set_provider_status(text, text, text, text, text),
  provider_api.remove_provider(text, text, text, text),
  provider_api.set_rotation_interval(text, text, text, text, text),
  provider_api.delete_data_keys(text, text)
to provider_manager;
grant execute on function
  provider_api.record_unreadable(text, text, text, bigint, text, text)
to provider_resolver;

reset role;
-- To create is for the length of this migration.
grant create on schema provider_api to provider_auditor;
set local role provider_auditor;

-- The newest first. No workspace: of all. No type and name: of all its providers, and of its data keys.
drop function provider_api.list_provider_events(text, integer);
create function provider_api.list_provider_events(
  p_workspace_id text, p_limit integer, p_provider_type text default null, p_provider_name text default null
)
returns table (
  event_id bigint, at timestamptz, workspace_id text, provider_type text, provider_name text, version bigint, event text,
  actor text, details jsonb, workflow_id text, login text, application text, client_address text
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select event_id, at, workspace_id, provider_type, provider_name, version, event, actor, details, workflow_id, login,
    application, host(client_address)
  from public.provider_events
  where (p_workspace_id is null or workspace_id in (p_workspace_id, '*'))
    and (p_provider_type is null or provider_type = p_provider_type or provider_type is null and event = 'truncated')
    and (p_provider_name is null or provider_name = p_provider_name or provider_name is null and event = 'truncated')
  order by event_id desc limit p_limit;
end;
grant execute on function provider_api.list_provider_events(text, integer, text, text) to provider_manager;

reset role;
revoke create on schema provider_api from provider_auditor;
