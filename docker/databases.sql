-- The postgres image runs this once, as its superuser, on an empty volume. Each program has its own login, with only
-- the rights that it needs; the roles are those of src/store/schema/0001_roles.sql.
\set ON_ERROR_STOP on
\getenv migration_password MIGRATION_PASSWORD
\getenv manager_password MANAGER_PASSWORD
\getenv worker_password WORKER_PASSWORD
\getenv temporal_password TEMPORAL_PASSWORD

create role provider_owner nologin;
create role provider_resolver nologin;
create role provider_manager nologin;
create role provider_tenant nologin;
create role provider_auditor nologin;

create role migration login password :'migration_password' in role provider_owner, provider_auditor;
create role manager login password :'manager_password' in role provider_manager;
create role worker login password :'worker_password' in role provider_resolver;
create role temporal login password :'temporal_password';

create database providers owner migration;
create database temporal owner temporal;
create database temporal_visibility owner temporal;

-- By default every login may connect to every database.
revoke connect on database providers, temporal, temporal_visibility, postgres from public;
grant connect on database providers to manager, worker;
