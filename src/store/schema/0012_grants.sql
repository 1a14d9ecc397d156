-- Who owns what, and who may do what. By default a function is closed to everyone (0001_roles), so what is not granted
-- here is denied. Which rows a role then sees is in 0005_row_level_security. test/store/schema/privileges.txt lists
-- both.

-- Owners. A function runs as its owner, and all were created as provider_owner. A new owner needs `create` on the
-- schema, but only for the change.
grant create on schema provider_api to provider_auditor;
alter function provider_api.list_due_rotations(bigint, text, text, text, integer) owner to provider_auditor;
alter function provider_api.list_active_providers(bigint, text, text, text, integer) owner to provider_auditor;
alter function provider_api.count_overdue() owner to provider_auditor;
alter function provider_api.credential_ages() owner to provider_auditor;
alter function provider_api.list_troubled_providers(integer) owner to provider_auditor;
alter function provider_api.list_data_keys(text, text, integer) owner to provider_auditor;
alter function provider_api.sample_data_keys() owner to provider_auditor;
alter function provider_api.list_rotations(text, integer) owner to provider_auditor;
alter function provider_api.list_provider_events(text, integer, text, text) owner to provider_auditor;
revoke create on schema provider_api from provider_auditor;

-- Schemas.
grant usage on schema public to provider_tenant, provider_auditor;
grant usage on schema provider_api to provider_resolver, provider_manager, provider_tenant, provider_auditor;
-- The runner of these files keeps this table; latest_migration reads it.
grant select on provider_api.migrations to provider_owner;

set local role provider_owner;

-- Tables. Not even the owner may update or delete an event.
revoke update, delete, truncate on public.provider_events from provider_owner;

-- A service of the platform, a settings page for example, seals credentials itself. It writes only the columns that a
-- person chooses: what triggers and functions write, others rely on. Rights on columns do not allow `lock table` in any
-- mode that stops a reader or a writer; a right to insert into, update or delete from the whole table would.
grant select on public.workspace_providers, public.workspace_keys, public.provider_events, public.provider_use
  to provider_tenant;
grant
  insert (workspace_id, provider_type, provider_name, config, encrypted_config, status, rotate_every),
  update (config, encrypted_config, status, rotate_every)
  on public.workspace_providers to provider_tenant;

-- The auditor reads the columns that its functions return, and no sealed credential. No column of an event is secret.
grant select (
  workspace_id, provider_type, provider_name, status, version, turn, rotate_every, rotated_at, last_check_outcome,
  last_check_at
) on public.workspace_providers to provider_auditor;
grant select (workspace_id, kid, wrapped_key, root_key_id) on public.workspace_keys to provider_auditor;
grant select (
  rotation_id, workspace_id, provider_type, provider_name, state, origin, workflow_id, from_version, to_version,
  rolled_back, reason, requested_by, created_at, updated_at, ended_at
) on public.provider_rotations to provider_auditor;
grant select on public.provider_events to provider_auditor;

-- Functions.
grant execute on function
  provider_api.register_worker(text, text, text, text, integer, integer, text, uuid),
  provider_api.renew_lease(text, text, bigint, bigint, uuid, text, jsonb),
  provider_api.deregister_worker(text, text, bigint),
  provider_api.record_use(text, text, text[], text[], text[], timestamptz[], bigint[], text[], text[], bigint[]),
  provider_api.record_unreadable(text, text, text, text, text, bigint, text, text)
to provider_resolver;

grant execute on function
  provider_api.remove_own_provider(text, text),
  provider_api.add_own_data_key(text, text, text)
to provider_tenant;

grant execute on function
  provider_api.latest_migration(),
  provider_api.read_workspace(text),
  provider_api.list_workers()
to provider_resolver, provider_manager;

-- Only a manager judges workers: a fence does not wait for a worker that was marked as vanished.
grant execute on function
  provider_api.read_epoch(),
  provider_api.list_holders(text, text, text, bigint, bigint),
  provider_api.raise_versions(text, integer),
  provider_api.end_restore(text),
  provider_api.mark_vanished(text[], bigint[]),
  provider_api.forget_workers(text[], bigint[]),
  provider_api.list_providers(text),
  provider_api.put_provider(text, text, text, jsonb, text, bigint, text),
  provider_api.set_provider_status(text, text, text, text, text),
  provider_api.remove_provider(text, text, text, text),
  provider_api.set_rotation_interval(text, text, text, text, text),
  provider_api.record_check(text, text, text, bigint, text),
  provider_api.add_data_key(text, text, text, text),
  provider_api.rewrap_data_key(text, text, text, text, text),
  provider_api.delete_data_keys(text, text),
  provider_api.list_provider_use(text, text, text, bigint, timestamptz, timestamptz, integer),
  provider_api.prune_use(timestamptz, integer),
  provider_api.stage_rotation(text, text, text, text, bigint, text, text, text, boolean),
  provider_api.find_open_rotation(text, text, text),
  provider_api.list_open_rotations(text, integer),
  provider_api.begin_rotation(text, text),
  provider_api.read_rotation(text),
  provider_api.store_issued_credential(text, text, text),
  provider_api.advance_rotation(text, text),
  provider_api.activate_rotation(text),
  provider_api.roll_back_rotation(text, text),
  provider_api.end_rotation(text, text, text, boolean),
  provider_api.stage_due_rotation(text, text, text, text, boolean, text),
  provider_api.raise_event_once(text, text, text, bigint, text, text)
to provider_manager;

-- Called by the auditor's functions.
grant execute on function provider_api.is_due(text, timestamptz, interval) to provider_auditor;

set local role provider_auditor;
grant execute on function provider_api.sample_data_keys() to provider_resolver;
grant execute on function
  provider_api.list_due_rotations(bigint, text, text, text, integer),
  provider_api.list_active_providers(bigint, text, text, text, integer),
  provider_api.count_overdue(),
  provider_api.credential_ages(),
  provider_api.list_troubled_providers(integer),
  provider_api.list_data_keys(text, text, integer),
  provider_api.list_rotations(text, integer),
  provider_api.list_provider_events(text, integer, text, text)
to provider_manager;

reset role;
