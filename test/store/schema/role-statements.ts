/**
 * What each role may send, statement by statement. Each runs in a transaction of its own that stays open while a manager
 * and a worker go on (`roles-statements.integration.test.ts`). `ws_own` is the workspace in `app.workspace_id`, and has
 * the provider llm/own.
 */

/** `allowed`, or the SQLSTATE of the refusal. */
export type Outcome = 'allowed' | string;
export type Attempt = readonly [statement: string, outcome: Outcome];

const DENIED = '42501';
const CHECK_FAILS = '23514';

const all = (outcome: Outcome, ...statements: string[]): Attempt[] => statements.map((text) => [text, outcome]);

const OWN = `workspace_id = 'ws_own' and provider_type = 'llm' and provider_name = 'own'`;
const SEALED = 'a.b.c.d.e';
const update = (set: string) => `update workspace_providers set ${set} where ${OWN}`;
const insert = (name: string, columns = '', values = '') =>
  `insert into workspace_providers (workspace_id, provider_type, provider_name, config, encrypted_config${columns})
    values ('ws_own', 'llm', '${name}', '{}', '${SEALED}'${values})`;
const upsert = (set: string) => `${insert('own')} on conflict (workspace_id, provider_type, provider_name)
    do update set ${set}`;

const LOCK_MODES = [
  ...['row share', 'row exclusive', 'share update exclusive', 'share', 'share row exclusive'],
  ...['exclusive', 'access exclusive'],
];

const INTERNAL_TABLES = [
  ...['provider_versions', 'provider_changes', 'provider_epoch', 'provider_invalidations', 'provider_rotations'],
  ...['resolver_workers', 'provider_api.migrations'],
];
const TABLES = [...['workspace_providers', 'workspace_keys', 'provider_events', 'provider_use'], ...INTERNAL_TABLES];

/** What no login may do, whatever its role. */
const DENIED_TO_ALL = [
  ...all(
    DENIED,
    ...['provider_owner', 'provider_auditor', 'postgres'].map((role) => `set local role ${role}`),
    'set session authorization postgres',
    'set local session_replication_role = replica',
    `set local log_statement = 'all'`,
    'select provider_api.number_changes(true)',
    `select provider_api.require_worker('victim', 'x')`,
    'create table public.mine ()',
    'create function provider_api.mine() returns int language sql return 1',
    'alter table workspace_providers disable trigger raise_version',
    'alter table workspace_providers no force row level security',
    'create policy mine on workspace_providers using (true)',
    'create index on workspace_providers (config)',
    'drop table workspace_keys',
    'drop function provider_api.read_workspace(text)',
    'alter role current_user superuser',
    'grant provider_owner to current_user',
    'alter default privileges for role provider_owner grant all on tables to public',
    `select pg_read_file('/etc/passwd')`,
    `copy (select 1) to program 'true'`,
    'select pg_reload_conf()',
    `select pg_terminate_backend(pid) from pg_stat_activity where usename <> current_user and pid <> pg_backend_pid()`,
  ),
];

export const TENANT: readonly Attempt[] = [
  // The columns of a provider.
  ...all('allowed', update(`config = '{"a": 1}'`), update(`encrypted_config = 'f.g.h.i.j'`)),
  ...all('allowed', update(`status = 'disabled'`), update(`rotate_every = '90 days'`), update('rotate_every = null')),
  ...all(
    DENIED,
    update(`workspace_id = 'ws_other'`),
    update(`provider_type = 'rpc'`),
    update(`provider_name = 'renamed'`),
    update('version = 99'),
    update(`key_id = '../../x'`),
    update(`rotated_at = 'infinity'`),
    update(`last_check_outcome = 'ok', last_check_at = 'infinity'`),
    update('created_at = now()'),
    update('updated_at = now()'),
    update(`config = '{}', version = 99`),
  ),
  ...all(
    'allowed',
    insert('new'),
    insert('new', ', status', `, 'disabled'`),
    insert('new', ', rotate_every', `, '1 day'`),
  ),
  ...all(
    DENIED,
    insert('new', ', version', ', 99'),
    insert('new', ', key_id', `, 'k'`),
    insert('new', ', rotated_at', `, 'infinity'`),
    insert('new', ', last_check_outcome, last_check_at', `, 'ok', now()`),
    insert('new', ', created_at', ', now()'),
    insert('new', ', updated_at', ', now()'),
    insert('new').replace(`'ws_own'`, `'ws_other'`),
  ),
  ...all('allowed', upsert('config = excluded.config'), upsert('status = excluded.status')),
  ...all(DENIED, upsert('version = excluded.version'), upsert('rotated_at = now()')),
  // Values.
  ...all(
    CHECK_FAILS,
    update(`config = '[]'`),
    update(`config = jsonb_build_object('a', repeat('x', 17000))`),
    update(`encrypted_config = 'sk-plaintext'`),
    update(`encrypted_config = 'a.b.c.d.' || repeat('e', 131072)`),
    update(`status = 'paused'`),
    update(`rotate_every = '0'`),
    update(`rotate_every = '-1 day'`),
    update(`rotate_every = '101 years'`),
    insert('Not a name'),
    insert('n'.repeat(65)),
    insert('new').replace(`'llm'`, `'LLM'`),
  ),
  ['insert into workspace_providers default values', DENIED],
  // Removing, and the data keys.
  ...all('allowed', `select provider_api.remove_own_provider('llm', 'own')`),
  ...all(
    DENIED,
    'delete from workspace_providers',
    'truncate workspace_providers',
    `merge into workspace_providers using (values (1)) as v on true when matched then delete`,
    `insert into workspace_keys (workspace_id, kid, wrapped_key, root_key_id) values ('ws_own', 'k', 'w', 'r')`,
    `update workspace_keys set state = 'retired'`,
    'delete from workspace_keys',
    'truncate workspace_keys',
  ),
  [`select provider_api.add_own_data_key('k', 'w', 'r')`, CHECK_FAILS],
  // Reading.
  ...all('allowed', ...TABLES.filter((name) => !INTERNAL_TABLES.includes(name)).map((name) => `select from ${name}`)),
  ...all(DENIED, ...INTERNAL_TABLES.map((name) => `select from ${name}`)),
  ...all(DENIED, `insert into provider_events (workspace_id, event, actor) values ('ws_own', 'forged', 'x')`),
  ...all(DENIED, 'update provider_use set count = 1', 'delete from provider_use'),
  ['set local row_security = off; select from workspace_providers', DENIED],
  // The functions of others.
  ...all(
    DENIED,
    `select provider_api.put_provider('ws_own', 'llm', 'own', '{}', '${SEALED}', null)`,
    `select provider_api.set_provider_status('ws_own', 'llm', 'own', 'disabled')`,
    `select provider_api.remove_provider('ws_own', 'llm', 'own')`,
    `select provider_api.delete_data_keys('ws_own')`,
    `select provider_api.add_data_key('ws_own', 'k', 'w', 'r')`,
    `select provider_api.read_workspace('ws_own')`,
    'select provider_api.read_epoch()',
    'select provider_api.list_workers()',
    `select provider_api.mark_vanished('{}', '{}')`,
    `select provider_api.register_worker('w', 'q', 'i', 'b', 1, 1, null, null)`,
    `select provider_api.renew_lease('victim', 'x', 1, 0, null, '', '[]')`,
  ),
  // Locks.
  ...all(
    'allowed',
    'lock table workspace_providers in access share mode',
    'lock table workspace_keys in access share mode',
  ),
  ...all(DENIED, ...LOCK_MODES.map((mode) => `lock table workspace_providers in ${mode} mode`)),
  ...all(DENIED, 'lock table workspace_keys', 'lock table provider_events in share mode', 'lock table provider_epoch'),
  ...all(
    'allowed',
    ...['update', 'no key update', 'share', 'key share'].map((of) => `select from workspace_providers for ${of}`),
    `declare held cursor for select * from workspace_providers for update; fetch all from held`,
    `declare kept cursor with hold for select * from workspace_providers`,
    `savepoint s; ${update(`config = '{"b": 1}'`)}; rollback to s; ${update(`config = '{"c": 1}'`)}`,
    'select pg_advisory_xact_lock(1)',
  ),
  ...all(DENIED, 'select from workspace_keys for update', 'select from provider_events for share'),
  // Settings that decide when a trigger fires, or how long a session may wait.
  ...all(
    'allowed',
    `set constraints all immediate; ${update(`config = '{"d": 1}'`)}`,
    `${update(`config = '{"e": 1}'`)}; set constraints all immediate; set constraints all deferred`,
    `set local synchronous_commit = off; ${update(`config = '{"f": 1}'`)}`,
    `set local statement_timeout = 0; set local lock_timeout = 0; set local idle_in_transaction_session_timeout = 0`,
    `set local search_path = pg_temp, public; ${update(`config = '{"g": 1}'`)}`,
    `do $$ begin ${update(`config = '{"h": 1}'`)}; set constraints all immediate; end $$`,
  ),
  // Notifications.
  ...all(
    'allowed',
    'notify provider_changes',
    'listen provider_changes',
    `select pg_notify('provider_changes', repeat('x', 7999))`,
  ),
  // A prepared transaction would outlive its session: one that changed a provider has notified, which rules it out.
  [`${update(`config = '{"i": 1}'`)}; prepare transaction 'held'`, '0A000'],
  // Bulk and temporary objects.
  [`copy workspace_providers (workspace_id) from '/dev/null'`, DENIED],
  ['create temporary table mine (a int) on commit drop', 'allowed'],
  ...DENIED_TO_ALL,
];

const worker = (lease: number, longestStep: number) =>
  `select provider_api.register_worker('bounds', 'q', 'i', 'b', ${lease}, ${longestStep}, null, null)`;
const use = (minute: string, version: string, count: string) => `select provider_api.record_use('victim', 'x', '{ws}',
    '{llm}', '{own}', array[${minute}]::timestamptz[], '{${version}}', '{t}', '{i}', '{${count}}')`;

export const RESOLVER: readonly Attempt[] = [
  ...all(DENIED, ...TABLES.map((name) => `select from ${name}`)),
  ...all(DENIED, ...TABLES.map((name) => `lock table ${name} in access share mode`)),
  ...all('allowed', `select provider_api.read_workspace('ws_own')`, 'select provider_api.latest_migration()'),
  ...all('allowed', worker(1, 0), worker(3_600_000, 86_400_000)),
  ...all(CHECK_FAILS, worker(0, 0), worker(3_600_001, 0), worker(1, -1), worker(1, 0).replace(`'q'`, `''`)),
  // Another worker's row, without its token.
  [`select provider_api.register_worker('victim', 'q', 'i', 'b', 1, 1, null, null)`, 'WP001'],
  [`select provider_api.register_worker('victim', 'q', 'i', 'b', 1, 1, 'x', null)`, 'WP001'],
  [use('now()', '1', '1'), 'WP002'],
  [`select provider_api.record_unreadable('victim', 'x', 'ws_own', 'llm', 'own', 1, 'w', '')`, 'WP002'],
  ...all(
    'allowed',
    `do $$ begin if (provider_api.renew_lease('victim', 'x', 1000, 0, null, '', '[]')).renewed then raise 'renewed'; end if; end $$`,
    `do $$ begin if (provider_api.renew_lease('victim', null, 1000, 0, null, '', '[]')).renewed then raise 'renewed'; end if; end $$`,
    `select provider_api.deregister_worker('victim', 'x', 1000)`,
    `select provider_api.deregister_worker('victim', null, 1000)`,
    'select provider_api.list_workers()',
  ),
  // Judging workers, and everything that changes a provider, is the manager's.
  ...all(
    DENIED,
    'select provider_api.read_epoch()',
    `select provider_api.list_holders('ws_b', null, null, null, 0)`,
    `select provider_api.mark_vanished('{victim}', '{1}')`,
    `select provider_api.forget_workers('{victim}', '{1}')`,
    `select provider_api.put_provider('ws_own', 'llm', 'own', '{}', '${SEALED}', null)`,
    `select provider_api.set_provider_status('ws_own', 'llm', 'own', 'disabled')`,
    `select provider_api.remove_provider('ws_own', 'llm', 'own')`,
    `select provider_api.remove_own_provider('llm', 'own')`,
    `select provider_api.add_own_data_key('k', 'w', 'r')`,
    `select provider_api.list_data_keys('', '', 1)`,
    `select provider_api.raise_event_once('ws_own', 'llm', 'own', 1, 'forged', 'x')`,
    `select provider_api.read_rotation('r')`,
  ),
  ...all('allowed', 'notify provider_changes', 'set constraints all immediate', 'select pg_advisory_xact_lock(1)'),
  ...DENIED_TO_ALL,
];

export const MANAGER: readonly Attempt[] = [
  ...all(DENIED, ...TABLES.map((name) => `select from ${name}`)),
  ...all(DENIED, ...TABLES.map((name) => `truncate ${name}`)),
  ...all(
    'allowed',
    `select provider_api.read_workspace('ws_own')`,
    `select provider_api.put_provider('ws_own', 'llm', 'own', '{"m": 1}', '${SEALED}', null)`,
    `select provider_api.put_provider('ws_own', 'llm', 'own', '{"n": 1}', '${SEALED}', null); set constraints all immediate`,
    `select provider_api.set_provider_status('ws_own', 'llm', 'own', 'disabled')`,
    'select provider_api.list_workers()',
    `select provider_api.mark_vanished('{}', '{}')`,
  ),
  ...all(
    DENIED,
    `select provider_api.register_worker('w', 'q', 'i', 'b', 1, 1, null, null)`,
    `select provider_api.renew_lease('victim', 'x', 1, 0, null, '', '[]')`,
    `select provider_api.deregister_worker('victim', 'x', 1)`,
    use('now()', '1', '1'),
    `select provider_api.remove_own_provider('llm', 'own')`,
    `select provider_api.add_own_data_key('k', 'w', 'r')`,
  ),
  ...DENIED_TO_ALL,
];

/** Nobody logs in as the auditor. A login that could become it may read the columns that its functions return. */
export const AUDITOR: readonly Attempt[] = [
  ...all(
    'allowed',
    'select workspace_id, kid, wrapped_key from workspace_keys',
    'select status, rotated_at from workspace_providers',
    'select * from provider_events',
  ),
  ...all(
    DENIED,
    'select encrypted_config from workspace_providers',
    'select config from workspace_providers',
    'select next_encrypted_config from provider_rotations',
    'select token_hash from resolver_workers',
    'select from provider_use',
    update(`status = 'disabled'`),
    'delete from workspace_keys',
    'delete from provider_events',
    'lock table workspace_providers in share mode',
    'select from workspace_providers for update',
    `select provider_api.put_provider('ws_own', 'llm', 'own', '{}', '${SEALED}', null)`,
    'select provider_api.number_changes(true)',
    'create function provider_api.mine() returns int language sql return 1',
  ),
];
