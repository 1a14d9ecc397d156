/** Set-ups that are broken, each in one way, and how `doctor` names it. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from '../../src/doctor/examine-setup.js';
import { ProviderError } from '../../src/protocol/errors.js';
import { newGrantKeys } from '../../testbed/grant-keys.js';
import type { PgBouncerPart } from '../../testbed/pgbouncer.js';
import { newRootKey } from '../management/management.js';
import { type TestDatabase, withSession, withUrl } from '../support/database.js';
import type { RotationStage } from '../support/rotation-stage.js';
import { databaseForTest } from '../support/use-database.js';

export type Env = Readonly<Record<string, string>>;

export interface Around {
  readonly stage: RotationStage;
  readonly pooler: PgBouncerPart;
  readonly folder: string;
}

export interface Broken {
  readonly env?: Env;
  readonly machine?: Partial<Machine>;
  /** Default: that of the stage, with its workers. */
  readonly database?: TestDatabase;
}

type Row = readonly [what: string, check: string, says: RegExp, broken: (around: Around) => Broken | Promise<Broken>];

/** Another database, after these statements of a superuser. */
async function after(...statements: readonly string[]): Promise<Broken> {
  const database = await databaseForTest();
  await withSession(database.ownerUrl, async (session) => {
    for (const statement of statements) await session.query(statement);
  });
  return { database };
}

export async function fileIn(folder: string, name: string, content: string, mode = 0o644): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

/** Exactly one check finds something, and it is this one. */
export const BROKEN: readonly Row[] = [
  [
    'the worker’s password is wrong',
    'worker login',
    /refuses the login: check its name and password in PROVIDER_DATABASE_URL/,
    ({ stage }) => ({ env: { PROVIDER_DATABASE_URL: withUrl(stage.database.resolverUrl, { password: 'wrong' }) } }),
  ],
  [
    'the database does not exist',
    'manager login',
    /the database does not exist: create it, or correct its name in PROVIDER_MANAGER_DATABASE_URL/,
    ({ stage }) => ({
      env: { PROVIDER_MANAGER_DATABASE_URL: withUrl(stage.database.managerUrl, { database: 'nothing' }) },
    }),
  ],
  [
    'the manager has the login of a worker',
    'manager login',
    /cannot manage providers: grant it provider_manager/,
    ({ stage }) => ({ env: { PROVIDER_MANAGER_DATABASE_URL: stage.database.resolverUrl } }),
  ],
  [
    'the worker is a superuser',
    'worker login',
    /superuser or a role with BYPASSRLS: set PROVIDER_DATABASE_URL/,
    ({ stage }) => ({ env: { PROVIDER_DATABASE_URL: stage.database.ownerUrl } }),
  ],
  [
    'the administrator may not migrate',
    'administrator login',
    /may not migrate: it must own the database/,
    ({ stage }) => ({ env: { PROVIDER_ADMIN_DATABASE_URL: stage.database.managerUrl } }),
  ],
  [
    'a URL is none',
    'worker login',
    /PROVIDER_DATABASE_URL must be postgres:\/\/login:password@host\/database/,
    () => ({ env: { PROVIDER_DATABASE_URL: 'mysql://worker@db/agents' } }),
  ],
  [
    'prepared statements go through a pooler in transaction mode that does not know them',
    'pooler',
    /set PROVIDER_PREPARED_STATEMENTS=false/,
    ({ stage, pooler }) => ({
      env: {
        PROVIDER_DATABASE_URL: pooler.through(stage.database.resolverUrl),
        PROVIDER_LISTEN_DATABASE_URL: stage.database.resolverUrl,
        PROVIDER_PREPARED_STATEMENTS: 'true',
      },
    }),
  ],
  [
    'a worker listens through a pooler in transaction mode',
    'listening',
    /set PROVIDER_LISTEN_DATABASE_URL to a direct connection/,
    ({ stage, pooler }) => ({
      env: {
        PROVIDER_LISTEN_DATABASE_URL: pooler.through(stage.database.resolverUrl),
        PROVIDER_PREPARED_STATEMENTS: 'false',
      },
    }),
  ],
  [
    'a worker listens to another database',
    'listening',
    /direct connection to the same database/,
    ({ stage }) => ({
      env: { PROVIDER_LISTEN_DATABASE_URL: withUrl(stage.database.resolverUrl, { database: 'postgres' }) },
    }),
  ],
  [
    'listening is off',
    'listening',
    /PROVIDER_LISTEN_DATABASE_URL is off: a change reaches a worker only when it renews/,
    () => ({ env: { PROVIDER_LISTEN_DATABASE_URL: 'off' } }),
  ],
  [
    'the clock of the machine is behind',
    'clock',
    /300 s behind the clock of Postgres.*synchronize both clocks/,
    () => ({ machine: { now: () => Date.now() - 300_000 } }),
  ],
  [
    'the root key is another one',
    'root key',
    /ENCRYPTION_KEY has no root key that opens the credentials of this database.*set it to/,
    () => ({ env: { ENCRYPTION_KEY: newRootKey() } }),
  ],
  [
    'the root key is weak',
    'root key',
    /ENCRYPTION_KEY entry 1 has a key .*openssl rand -base64 32/,
    () => ({ env: { ENCRYPTION_KEY: `key-1:${Buffer.alloc(32).toString('base64')}` } }),
  ],
  [
    'the root key is not set',
    'root key',
    /ENCRYPTION_KEY is not set.*openssl rand -base64 32/,
    () => ({ env: { ENCRYPTION_KEY: '' } }),
  ],
  [
    'the key set does not have the key of the signer',
    'grants',
    /PROVIDER_GRANT_KEYS does not have its public key; add that key/,
    async () => ({ env: { ...(await newGrantKeys()).starterEnv } }),
  ],
  [
    'the file of the key set is missing',
    'grants',
    /PROVIDER_GRANT_KEYS names a file that does not exist/,
    ({ folder }) => ({ env: { PROVIDER_GRANT_KEYS: join(folder, 'none.json') } }),
  ],
  [
    'others may write the file of the key set',
    'grants',
    /PROVIDER_GRANT_KEYS names a file that .*chmod/,
    async ({ stage, folder }) => ({
      env: { PROVIDER_GRANT_KEYS: await fileIn(folder, 'open.json', stage.grantKeys.keySet, 0o666) },
    }),
  ],
  [
    'the signing key is none',
    'grants',
    /PROVIDER_GRANT_SIGNING_KEY is not a private Ed25519 JSON Web Key/,
    ({ stage }) => ({ env: { PROVIDER_GRANT_SIGNING_KEY: stage.grantKeys.keySet } }),
  ],
  [
    'grants are switched off',
    'grants',
    /any workflow can use the credentials of any workspace/,
    () => ({ env: { PROVIDER_GRANTS: 'every-workflow-may-use-every-workspace' } }),
  ],
  [
    'nothing listens at the address of Temporal',
    'temporal',
    /nothing listens there; check TEMPORAL_ADDRESS/,
    () => ({ env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } }),
  ],
  [
    'the namespace does not exist',
    'temporal',
    /does not have the configured namespace: check TEMPORAL_NAMESPACE/,
    () => ({ env: { TEMPORAL_NAMESPACE: 'nowhere' } }),
  ],
  [
    'no worker polls the task queue of the steps',
    'steps polled',
    /no worker polls the task queue nobody: start one, or correct the name/,
    () => ({ env: { PROVIDER_TASK_QUEUE: 'nobody' } }),
  ],
  [
    'no process runs rotations',
    'rotations polled',
    /no process polls the task queue nobody.*PROVIDER_MANAGER_DATABASE_URL/,
    () => ({ env: { PROVIDER_OPERATIONS_TASK_QUEUE: 'nobody' } }),
  ],
  [
    'a provider leads to an address that is not allowed',
    'egress',
    /a provider leads to 127\.0\.0\.1:\d+, and its URL .*PROVIDER_EGRESS_NETWORKS|must be https/,
    () => ({ env: { PROVIDER_EGRESS_NETWORKS: '' } }),
  ],
  [
    'the name of a setting is misspelt',
    'settings',
    /PROVIDER_CACHE_LEESE is not a setting: did you mean PROVIDER_CACHE_LEASE/,
    () => ({ env: { PROVIDER_CACHE_LEESE: '30s' } }),
  ],
  [
    'a setting does not fit',
    'settings',
    /PROVIDER_CACHE_LEASE must be .*from 100ms to 1h/,
    () => ({ env: { PROVIDER_CACHE_LEASE: '2h' } }),
  ],
  [
    'a module of provider types does not exist',
    'settings',
    /PROVIDER_TYPES names a module that does not exist: give a path/,
    () => ({ env: { PROVIDER_TYPES: './none.js' } }),
  ],
  [
    'the platform’s own key is in the environment',
    'environment',
    /OPENAI_API_KEY is set.*remove it, call hardenProcess in your own worker, or allow it by PROVIDER_PLATFORM_FALLBACK=llm\/openai/,
    () => ({ env: { OPENAI_API_KEY: 'a-key' } }),
  ],
  [
    'a library logs what it sends',
    'environment',
    /ANTHROPIC_LOG makes a library log what it sends.*remove it/,
    () => ({ env: { ANTHROPIC_LOG: 'debug' } }),
  ],
  [
    'a proxy is set',
    'environment',
    /https_proxy is set, and calls to services do not use a proxy: let workers reach them directly/,
    () => ({ env: { https_proxy: 'http://proxy.example' } }),
  ],
  [
    'Node is too old',
    'node',
    /Node v18\.20\.1 is too old: use Node 20\.19 or later/,
    () => ({ machine: { nodeVersion: 'v18.20.1' } }),
  ],
  [
    'the package for a stored provider is not installed',
    'packages',
    /this step needs the package @ai-sdk\/none.*run npm install/,
    () => ({
      machine: {
        needsPackage: () => {
          const message =
            'this step needs the package @ai-sdk/none, which is not installed: run npm install @ai-sdk/none';
          throw new ProviderError('SetupInvalid', message);
        },
      },
    }),
  ],
];

/** In a database without workers: other checks find that too. */
export const BROKEN_DATABASES: readonly Row[] = [
  [
    'the database is not migrated',
    'schema',
    /the database is not migrated: run `workspace-providers migrate`/,
    ({ stage }) => {
      const to = { database: 'postgres' };
      const { resolverUrl, managerUrl } = stage.database;
      return {
        env: {
          PROVIDER_DATABASE_URL: withUrl(resolverUrl, to),
          PROVIDER_MANAGER_DATABASE_URL: withUrl(managerUrl, to),
        },
      };
    },
  ],
  [
    'the database is older than this build',
    'schema',
    /older than this build: run `workspace-providers migrate`/,
    () => after(`delete from provider_api.migrations where name > '0005'`),
  ],
  [
    'row-level security is switched off',
    'row-level security',
    /not in force on workspace_keys: run `workspace-providers migrate --repair`/,
    () => after('alter table workspace_keys disable row level security'),
  ],
  [
    'a trigger of the fence is off',
    'row-level security',
    /raise_version on workspace_providers\): run `workspace-providers migrate --repair`/,
    () => after('alter table workspace_providers disable trigger raise_version'),
  ],
  [
    'a right was granted to everybody',
    'row-level security',
    /rights were granted beside those of the schema \(public on provider_use\)|touches/,
    () => after('grant truncate on provider_use to public'),
  ],
  [
    'the logins lead to different databases',
    'one database',
    /PROVIDER_DATABASE_URL and PROVIDER_MANAGER_DATABASE_URL lead to different databases: set both to the one/,
    async () => ({ env: { PROVIDER_DATABASE_URL: (await databaseForTest()).resolverUrl } }),
  ],
  [
    'no worker is running',
    'leases',
    /no worker holds a lease, so nobody serves credentials: start a worker/,
    () => after(),
  ],
  [
    'a provider’s host does not resolve',
    'egress',
    /the host no-such-host\.invalid of a provider does not resolve here: check the name server/,
    async () => {
      const broken = await after();
      const config = JSON.stringify({ baseURL: 'https://no-such-host.invalid/v1' });
      const { ownerUrl = '' } = broken.database ?? {};
      await withSession(ownerUrl, (session) =>
        session.query(
          `insert into workspace_providers (workspace_id, provider_type, provider_name, config, encrypted_config)
            values ('ws_acme', 'llm', 'mine', $1, 'a.b.c.d.e')`,
          [config],
        ),
      );
      return broken;
    },
  ],
];
