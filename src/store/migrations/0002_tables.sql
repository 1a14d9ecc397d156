-- What is stored. A check constraint bears the name of the column it guards, so that an error names the field.
set local role provider_owner;

create table public.workspace_providers (
  workspace_id text collate "C" not null,
  provider_type text collate "C" not null,
  provider_name text collate "C" not null,
  config jsonb not null,
  encrypted_config text not null,
  status text not null default 'active',
  version bigint not null default 0,
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
  constraint rotate_every check (rotate_every > interval '0'),
  constraint last_check_outcome check (last_check_outcome in ('ok', 'rejected', 'cannot-tell')),
  constraint last_check_at check ((last_check_outcome is null) = (last_check_at is null))
);

comment on column public.workspace_providers.config is 'public, a JSON object of at most 16 kB';
comment on column public.workspace_providers.encrypted_config is 'the secret, a compact JWE of at most 128 kB';
comment on column public.workspace_providers.version is 'raised by a trigger whenever a reader must see a change';
comment on column public.workspace_providers.rotated_at is 'when encrypted_config was last replaced';
comment on column public.workspace_providers.last_check_outcome is 'of this version, at its live service';

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

-- The last version that each provider ever had. It outlives the provider: one that is removed and configured again
-- goes on counting, so a reference to an older version never takes the new credential for the old one.
create table public.provider_versions (
  workspace_id text collate "C" not null,
  provider_type text collate "C" not null,
  provider_name text collate "C" not null,
  version bigint not null,
  primary key (workspace_id, provider_type, provider_name)
);

alter table public.workspace_providers enable row level security, force row level security;
alter table public.workspace_keys enable row level security, force row level security;
alter table public.provider_versions enable row level security, force row level security;

-- nullif: once a transaction that set it has ended, the setting is '' and no longer null.
create policy own_workspace on public.workspace_providers to provider_owner, provider_tenant
  using (workspace_id = nullif(current_setting('app.workspace_id', true), ''))
  with check (workspace_id = nullif(current_setting('app.workspace_id', true), ''));
create policy own_workspace on public.workspace_keys to provider_owner, provider_tenant
  using (workspace_id = nullif(current_setting('app.workspace_id', true), ''))
  with check (workspace_id = nullif(current_setting('app.workspace_id', true), ''));
-- Reached by triggers alone, whoever writes, from whichever workspace.
create policy triggers_alone on public.provider_versions to provider_owner using (true) with check (true);

-- A settings page seals for itself: it reads the workspace's data keys and adds the first one, but replaces none.
grant select, insert, update, delete on public.workspace_providers to provider_tenant;
grant select, insert on public.workspace_keys to provider_tenant;

reset role;
