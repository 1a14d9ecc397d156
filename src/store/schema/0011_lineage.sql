-- The lineage of the database, and what is done after a restore. Epochs can be compared only within one lineage. A
-- database that was restored or failed over may have lost epochs and counted on since; while a trigger was off, changes
-- got no epoch; and after a policy was dropped our functions saw no rows. Each of these changes what the next two
-- functions return, and begins a new lineage, in which no worker of the old one holds a lease.
set local role provider_owner;

-- Which server process and which database this is: no restart, failover, restore or copy keeps both.
create or replace function provider_api.present_server() returns text
language sql stable set search_path = pg_catalog, pg_temp
return extract(epoch from pg_postmaster_start_time())::text || ' '
  || (select oid from pg_database where datname = current_database())::text;

-- A digest of the triggers and policies of our tables. A trigger that was off and is on again has another `xmin`.
create or replace function provider_api.present_guards() returns text
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  with tables as (
    select oid, relrowsecurity, relforcerowsecurity from pg_class
    where relnamespace = 'public'::regnamespace and relname in ('workspace_providers', 'workspace_keys',
      'provider_versions', 'provider_changes', 'provider_epoch', 'provider_invalidations', 'resolver_workers')
  )
  select md5(coalesce(string_agg(part, ' ' order by part), '')) from (
    select concat_ws(',', 'c', oid, relrowsecurity, relforcerowsecurity) as part from tables
    union all
    select concat_ws(',', 't', t.oid, t.xmin, t.tgenabled) from tables join pg_trigger as t on tgrelid = tables.oid
    union all
    select concat_ws(',', 'p', p.oid, p.xmin) from tables join pg_policy as p on polrelid = tables.oid
  ) as parts;
end;

-- Raises if a trigger or a policy that the fence relies on is not in force.
create or replace function provider_api.require_guards() returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  perform from (values
      ('workspace_providers', 'raise_version'), ('workspace_providers', 'keep_version'),
      ('workspace_providers', 'note_change'), ('workspace_providers', 'note_update'),
      ('workspace_providers', 'note_truncate'), ('workspace_keys', 'note_delete'), ('workspace_keys', 'note_truncate')
    ) as wanted (of_table, name)
    where not exists (
      select from pg_trigger as t join pg_class as c on c.oid = t.tgrelid
      where c.relnamespace = 'public'::regnamespace and c.relname = wanted.of_table and t.tgname = wanted.name
        and t.tgenabled = 'A'
    );
  if found then
    raise exception 'triggers that the fence relies on are missing or not in force' using errcode = 'WP004';
  end if;
  perform from (values
      ('workspace_providers', 'own_workspace'), ('workspace_keys', 'own_workspace'),
      ('provider_versions', 'only_triggers'), ('provider_changes', 'only_triggers'),
      ('provider_epoch', 'only_functions'), ('provider_invalidations', 'only_functions'),
      ('resolver_workers', 'only_functions')
    ) as wanted (of_table, name)
    where not exists (
      select from pg_policy as p join pg_class as c on c.oid = p.polrelid
      where c.relnamespace = 'public'::regnamespace and c.relname = wanted.of_table and p.polname = wanted.name
        and c.relrowsecurity and c.relforcerowsecurity
    );
  if found then
    raise exception 'row-level security is off, or a policy is missing' using errcode = 'WP005';
  end if;
end $$;

create or replace function provider_api.require_primary() returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  if pg_is_in_recovery() then
    raise exception 'this server is a standby' using errcode = 'WP003';
  end if;
end $$;

-- Returns the present lineage, and begins a new one if the server or a guard is no longer what it was. Raises while a
-- guard is not in force. In a new lineage no worker has a lease: each must register again. There may also be workers
-- that the database does not know, because they registered after it was copied. One row stands for all leases of the
-- old lineage, with the longest of them: a fence waits for it, and a janitor clears it, as for a worker that fell silent.
create or replace function provider_api.present_lineage(out lineage uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  seen_server text;
  seen_guards text;
  stored public.provider_epoch;
  longest integer;
begin
  perform provider_api.require_primary();
  seen_server := provider_api.present_server();
  seen_guards := provider_api.present_guards();
  select * into stored from public.provider_epoch;
  if (stored.server, stored.guards) is not distinct from (seen_server, seen_guards) then
    lineage := stored.lineage;
    return;
  end if;
  perform provider_api.require_guards();
  update public.provider_epoch as present
    set server = seen_server, guards = seen_guards, lineage = gen_random_uuid()
    where (present.server, present.guards) is distinct from (seen_server, seen_guards)
    returning present.lineage into lineage;
  if not found then
    select present.lineage into lineage from public.provider_epoch as present;
    return;
  end if;
  select greatest((select last_value from public.resolver_longest_lease where is_called), max(lease_ms))
    into longest from public.resolver_workers;
  delete from public.resolver_workers where token_hash is null;
  update public.resolver_workers set state = 'vanished' where state = 'live';
  if longest > 0 then
    insert into public.resolver_workers
        (worker_id, task_queue, identity, build, lease_ms, longest_step_ms, calls, renewal, applied_epoch)
      values ('before.' || lineage, 'none', 'workers from before Postgres was restarted, replaced or repaired', '-',
        longest, 0, 1, nextval('public.resolver_renewals'), -1);
  end if;
end $$;

-- After a restore: references that workflows hold may name versions that were lost. Raises every version, of as many
-- workspaces as the limit says, beyond any that can have been lost. Returns the last workspace, to continue after; null
-- if none is left. A caller that was interrupted begins again: a version that was raised twice does no harm.
create or replace function provider_api.raise_versions(p_after text, p_limit integer, out last_workspace_id text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  raised_by constant bigint := 1000000;
  outer_workspace text := current_setting('app.workspace_id', true);
  each text;
begin
  for each in
    select distinct workspace_id from public.provider_versions where workspace_id > p_after
    order by workspace_id limit p_limit
  loop
    perform set_config('app.workspace_id', each, true);
    perform set_config('app.raise_versions', 'on', true);
    update public.workspace_providers set version = version where workspace_id = each;
    perform set_config('app.raise_versions', '', true);
    -- Providers that were removed continue to count too.
    update public.provider_versions as last set version = version + raised_by
      where workspace_id = each and not exists (
        select from public.workspace_providers as p
        where (p.workspace_id, p.provider_type, p.provider_name)
          = (last.workspace_id, last.provider_type, last.provider_name)
      );
    last_workspace_id := each;
  end loop;
  perform set_config('app.workspace_id', outer_workspace, true);
end $$;

-- The last step: begins a new lineage, whatever the server is, and puts the counters beyond what they can have been.
create or replace function provider_api.end_restore(p_actor text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  raised_by constant bigint := 1000000;
  outer_actor text := current_setting('app.actor', true);
begin
  perform provider_api.number_changes(true);
  update public.provider_epoch set epoch = epoch + raised_by, pruned_to = epoch + raised_by, server = null;
  delete from public.provider_invalidations;
  perform setval('public.resolver_renewals', nextval('public.resolver_renewals') + raised_by);
  perform setval(pg_get_serial_sequence('public.provider_events', 'event_id'), greatest(max(event_id), 1))
    from public.provider_events;
  perform provider_api.present_lineage();
  perform set_config('app.actor', coalesce(p_actor, outer_actor), true);
  insert into public.provider_events (workspace_id, event, actor) values ('*', 'restored', provider_api.acting());
  perform set_config('app.actor', outer_actor, true);
  perform pg_notify('provider_changes', '');
end $$;

reset role;
