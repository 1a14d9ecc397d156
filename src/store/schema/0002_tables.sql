-- The tables. A check constraint has the name of the column that it guards, so that an error names the field.
set local role provider_owner;

create table public.workspace_providers (
  workspace_id text collate "C" not null,
  provider_type text collate "C" not null,
  provider_name text collate "C" not null,
  config jsonb not null,
  encrypted_config text not null,
  status text not null default 'active',
  version bigint not null default 0,
  turn integer not null default 1,
  key_id text,
  rotate_every interval,
  rotated_at timestamptz not null default now(),
  last_check_outcome text,
  last_check_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, provider_type, provider_name),
  constraint workspace_id check (workspace_id ~ '^[A-Za-z0-9_.:-]{1,128}$'),
  constraint provider_type check (provider_type ~ '^[a-z][a-z0-9-]{0,31}$'),
  constraint provider_name check (provider_name ~ '^[a-z0-9_.:-]{1,64}$'),
  constraint config check (jsonb_typeof(config) = 'object' and octet_length(config::text) <= 16384),
  constraint encrypted_config check (
    octet_length(encrypted_config) <= 131072
    and encrypted_config ~ '^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+$'
  ),
  constraint status check (status in ('active', 'disabled')),
  constraint key_id check (key_id ~ '^[!-~]{1,255}$'),
  -- A workspace's own services write this column, and the functions for schedules read every row at once: no row may
  -- make them fail. Therefore the interval is bounded, and is_due adds nothing to a stored time.
  constraint rotate_every check (rotate_every > interval '0' and rotate_every <= interval '100 years'),
  constraint last_check_outcome check (last_check_outcome in ('ok', 'rejected', 'cannot-tell')),
  constraint last_check_at check (
    (last_check_outcome is null) = (last_check_at is null) and last_check_at between '2000-01-01Z' and '2200-01-01Z'
  ),
  -- Programs convert these times to their own type, which may hold neither infinity nor a year of five digits.
  constraint rotated_at check (rotated_at between '2000-01-01Z' and '2200-01-01Z'),
  constraint created_at check (created_at between '2000-01-01Z' and '2200-01-01Z'),
  constraint updated_at check (updated_at between '2000-01-01Z' and '2200-01-01Z')
);
comment on column public.workspace_providers.config is 'public: a JSON object of at most 16 kB';
comment on column public.workspace_providers.encrypted_config is 'the secret: a compact JWE of at most 128 kB';
comment on column public.workspace_providers.version is 'raised by a trigger on every change that a reader must see';
comment on column public.workspace_providers.turn is 'its number within the workspace, set by a trigger: for lists';
comment on column public.workspace_providers.key_id is 'the credential’s id at the service that issued it for us';
comment on column public.workspace_providers.rotate_every is 'null: rotated only on request';
comment on column public.workspace_providers.rotated_at is 'when encrypted_config was last replaced';
comment on column public.workspace_providers.last_check_outcome is 'the last check of this version at its live service';

-- For the lists of schedules (0009_auditor_functions), which go through every workspace in turn. The first index has all
-- that tells whether a provider is due, so that the others are passed over without a look at their rows.
create index workspace_providers_rotated
  on public.workspace_providers (turn, workspace_id, provider_type, provider_name)
  include (status, version, rotated_at, rotate_every) where rotate_every is not null;
create index workspace_providers_active
  on public.workspace_providers (turn, workspace_id, provider_type, provider_name) where status = 'active';
-- For list_troubled_providers.
create index workspace_providers_rejected
  on public.workspace_providers (workspace_id, provider_type, provider_name) where last_check_outcome = 'rejected';

-- Data keys, wrapped by a root key. The active one seals; retired ones still open what they sealed.
create table public.workspace_keys (
  workspace_id text collate "C" not null,
  kid text collate "C" not null,
  wrapped_key text not null,
  root_key_id text not null,
  state text not null default 'active',
  created_at timestamptz not null default now(),
  primary key (workspace_id, kid),
  constraint workspace_id check (workspace_id ~ '^[A-Za-z0-9_.:-]{1,128}$'),
  constraint kid check (kid ~ '^[A-Za-z0-9_.:-]{1,128}$'),
  constraint wrapped_key check (wrapped_key ~ '^[!-~]+$' and octet_length(wrapped_key) <= 8192),
  constraint root_key_id check (root_key_id ~ '^[!-~]+$' and octet_length(root_key_id) <= 2048),
  constraint state check (state in ('active', 'retired'))
);

create unique index workspace_keys_one_active on public.workspace_keys (workspace_id) where state = 'active';

-- The highest version that each provider has had. A row outlives its provider: one that is removed and configured again
-- continues to count, so a reference to an older version never takes the new credential for the old one.
create table public.provider_versions (
  workspace_id text collate "C" not null,
  provider_type text collate "C" not null,
  provider_name text collate "C" not null,
  version bigint not null,
  primary key (workspace_id, provider_type, provider_name)
);

-- The next four tables are what a fence relies on: docs/fence.md.
-- Changes that have no epoch yet. A transaction that changes a provider adds its rows here, for which it waits for
-- nobody and nobody waits for it; number_changes (0003_versions_and_epoch) gives them an epoch once they are committed.
create table public.provider_changes (
  workspace_id text collate "C" not null,
  changed_by xid8 not null default pg_current_xact_id()
);
comment on column public.provider_changes.workspace_id is '*: every workspace, after a truncate';
create index provider_changes_by_workspace on public.provider_changes (workspace_id, changed_by);

-- The epoch counts the committed transactions that changed a provider.
create table public.provider_epoch (
  only_row boolean primary key default true,
  epoch bigint not null default 0,
  pruned_to bigint not null default 0,
  lineage uuid not null default gen_random_uuid(),
  server text,
  guards text,
  constraint only_row check (only_row)
);
comment on column public.provider_epoch.lineage is 'replaced when epochs may have gone back, or a guard was off';
comment on column public.provider_epoch.server is 'the server process and the database in which this lineage began';
comment on column public.provider_epoch.guards is 'a digest of the triggers and policies when this lineage began';
comment on column public.provider_epoch.pruned_to is 'invalidations up to this epoch are deleted';
insert into public.provider_epoch default values;

create table public.provider_invalidations (
  epoch bigint not null,
  workspace_id text collate "C" not null,
  primary key (epoch, workspace_id)
);
comment on column public.provider_invalidations.workspace_id is '*: every workspace, after a truncate';

-- Each renewal takes a new number: a row that still has the number that was read has not been renewed since.
create sequence public.resolver_renewals;
-- The longest lease, in milliseconds, of the workers of this lineage; if it has none, of those before. As a sequence,
-- because a session that stays open must not lock it.
create sequence public.resolver_longest_lease;

create table public.resolver_workers (
  worker_id text collate "C" primary key,
  state text not null default 'live',
  task_queue text not null,
  identity text not null,
  build text not null,
  lease_ms integer not null,
  longest_step_ms integer not null,
  token_hash bytea,
  calls bigint not null default 0,
  renewal bigint not null,
  applied_epoch bigint not null default 0,
  grant_keys text not null default '',
  held jsonb default '[]',
  registered_at timestamptz not null default now(),
  heard_at timestamptz not null default now(),
  constraint worker_id check (worker_id ~ '^[A-Za-z0-9_.:-]{1,128}$'),
  constraint worker_state check (state in ('live', 'vanished')),
  constraint task_queue check (length(task_queue) between 1 and 1000),
  constraint lease_ms check (lease_ms between 1 and 3600000),
  constraint longest_step_ms check (longest_step_ms >= 0),
  constraint applied_epoch check (applied_epoch >= -1),
  constraint grant_keys check (grant_keys ~ '^[0-9a-f]{0,64}$'),
  constraint held check (jsonb_typeof(held) = 'array' and octet_length(held::text) <= 131072)
);
comment on column public.resolver_workers.held is 'what steps that began before the last changes hold; null: too many';
comment on column public.resolver_workers.grant_keys is 'a digest of the key set of grants that it uses; empty: it checks none';
comment on column public.resolver_workers.token_hash is 'SHA-256 of the token that only this worker was told; null: the row stands for unknown workers';
comment on column public.resolver_workers.calls is 'the worker’s own count of its renewals; 0: it never had a lease';
comment on column public.resolver_workers.state is 'vanished: has no lease any more, but may still be running a step';
comment on column public.resolver_workers.heard_at is 'for people to read; no decision depends on it';

-- A rotation holds two sealed credentials: the next one until it is activated, and the previous one until it is revoked
-- or restored.
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
  from_version bigint not null,
  to_version bigint,
  rolled_back boolean not null default false,
  abandoned boolean not null default false,
  starter text,
  starting_until timestamptz,
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
  constraint workflow_id check (length(workflow_id) between 1 and 1000),
  constraint starter check (length(starter) between 1 and 200),
  constraint reason check (length(reason) <= 2000),
  constraint next_encrypted_config check (octet_length(next_encrypted_config) <= 131072),
  constraint previous_encrypted_config check (octet_length(previous_encrypted_config) <= 131072),
  constraint next_key_id check (next_key_id ~ '^[!-~]{1,255}$'),
  constraint previous_key_id check (previous_key_id ~ '^[!-~]{1,255}$'),
  -- A rotation that has ended keeps no credential.
  constraint ended check (
    ended_at is null or (next_encrypted_config is null and previous_encrypted_config is null)
  )
);
comment on column public.provider_rotations.from_version is 'when it was staged; it begins only at this version';
comment on column public.provider_rotations.abandoned is 'its workflow ended before the rotation did';
comment on column public.provider_rotations.starter is 'who is about to start its workflow, until starting_until';
comment on column public.provider_rotations.origin is 'given by the caller, or issued by the service';

create unique index provider_rotations_one_at_a_time
  on public.provider_rotations (workspace_id, provider_type, provider_name) where ended_at is null;
create index provider_rotations_by_time on public.provider_rotations (workspace_id, created_at);

-- The audit. Triggers write most of it (0004_audit) and refuse every change to what was written. An event about a
-- workspace's data keys belongs to no provider: its type and name are null.
create table public.provider_events (
  event_id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  workspace_id text collate "C" not null,
  provider_type text collate "C",
  provider_name text collate "C",
  version bigint,
  event text collate "C" not null,
  actor text not null,
  login text default session_user,
  application text default current_setting('application_name'),
  client_address inet default inet_client_addr(),
  workflow_id text,
  details jsonb not null default '{}',
  constraint provider check ((provider_type is null) = (provider_name is null)),
  constraint event check (event ~ '^[a-z][a-z-]{0,63}$'),
  constraint actor check (length(actor) between 1 and 200),
  constraint workflow_id check (length(workflow_id) between 1 and 1000),
  constraint details check (jsonb_typeof(details) = 'object' and octet_length(details::text) <= 4096)
);
comment on column public.provider_events.actor is 'as the caller states it; if it states none, the login';
comment on column public.provider_events.login is 'of the session, as Postgres knows it: a caller cannot choose it';
comment on column public.provider_events.client_address is 'behind a pooler, the pooler’s; null for a local socket';
comment on column public.provider_events.details is 'names and counts, never a secret';

create index provider_events_by_workspace on public.provider_events (workspace_id, event_id);
-- A lasting condition is recorded once per version, however often it is found and by however many processes.
create unique index provider_events_once
  on public.provider_events (workspace_id, provider_type, provider_name, version, event)
  where event in ('rotation-overdue', 'credential-rejected', 'credential-unreadable');

-- Which credential was handed to the steps of which workflow, per minute. Workers count in memory and add their counts.
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
comment on column public.provider_use.version is '0: the platform’s credential, used as a fallback';
comment on column public.provider_use.workflow_id is 'empty, like workflow_type, if no workflow’s step used it';

-- For prune_use.
create index provider_use_by_minute on public.provider_use (minute);

reset role;
