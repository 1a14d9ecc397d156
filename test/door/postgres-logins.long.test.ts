/** Logins, databases and roles that do not fit, on a real Postgres. */
import { describe, test } from 'vitest';
import { withSession, withUrl } from '../support/database.js';
import { useDatabase } from '../support/use-database.js';
import { CANARY, checkWrong, type Wrong } from './door.js';

const database = useDatabase();

const MANAGER = 'PROVIDER_MANAGER_DATABASE_URL, or in DATABASE_URL if that is not set';
const ADMIN = 'PROVIDER_ADMIN_DATABASE_URL, or in DATABASE_URL if that is not set';
const WORKER = 'PROVIDER_DATABASE_URL, or in DATABASE_URL if that is not set';

/** A command of a manager with this URL. */
const list = (url: string) => ({ run: ['list', 'ws_acme'], env: { PROVIDER_MANAGER_DATABASE_URL: url } });
const worker = (url: string) => ({ run: ['worker'], env: { PROVIDER_DATABASE_URL: url } });
const migrate = (url: string) => ({ run: ['migrate'], env: { PROVIDER_ADMIN_DATABASE_URL: url } });

type Row = readonly [what: string, wrong: () => Wrong | Promise<Wrong>];

/** Runs what a row needs beforehand, as a superuser. */
async function after(statements: (login: string) => string, url = database.managerUrl): Promise<string> {
  await database.query(statements(new URL(url).username));
  return url;
}

const REAL: readonly Row[] = [
  [
    'a wrong password',
    () => ({
      ...list(withUrl(database.managerUrl, { password: CANARY })),
      exits: 2,
      says: `Postgres refuses the login: check its name and password in ${MANAGER}`,
    }),
  ],
  [
    'a wrong password of a worker',
    () => ({
      ...worker(withUrl(database.resolverUrl, { password: CANARY })),
      exits: 2,
      says: `Postgres refuses the login: check its name and password in ${WORKER}`,
    }),
  ],
  [
    'no password',
    () => ({
      ...list(withUrl(database.managerUrl, { password: '' })),
      exits: 2,
      says: `Postgres asks for a password, and there is none in ${MANAGER}`,
    }),
  ],
  [
    'a login that does not exist',
    () => ({
      ...list(withUrl(database.managerUrl, { login: 'nobody' })),
      exits: 2,
      says: `Postgres refuses the login: check its name and password in ${MANAGER}`,
    }),
  ],
  [
    'a database that does not exist',
    () => ({
      ...list(withUrl(database.managerUrl, { database: 'nothing' })),
      exits: 2,
      says: `the database does not exist: create it, or correct its name in ${MANAGER}`,
    }),
  ],
  [
    'a database that does not exist, of an administrator',
    () => ({
      ...migrate(withUrl(database.ownerUrl, { database: 'nothing' })),
      exits: 2,
      says: `the database does not exist: create it, or correct its name in ${ADMIN}`,
    }),
  ],
  [
    'a database that is not migrated',
    () => ({
      ...list(withUrl(database.managerUrl, { database: 'postgres' })),
      exits: 2,
      says: 'the database is not migrated: run `workspace-providers migrate`',
    }),
  ],
  [
    "a superuser's login",
    () => ({
      ...list(database.ownerUrl),
      exits: 2,
      says: [
        'is, or can become, a superuser',
        'set PROVIDER_MANAGER_DATABASE_URL to the URL of a login that is granted only',
      ],
    }),
  ],
  [
    "a worker's login for a manager",
    () => ({ ...list(database.resolverUrl), exits: 2, says: ['cannot manage providers: grant it provider_manager'] }),
  ],
  [
    "a manager's login for a worker",
    () => ({ ...worker(database.managerUrl), exits: 2, says: ['cannot read providers: grant it provider_resolver'] }),
  ],
  [
    "a worker's login for an administrator",
    () => ({
      ...migrate(database.resolverUrl),
      exits: 2,
      says: ['the database login may not migrate', 'PROVIDER_ADMIN_DATABASE_URL'],
    }),
  ],
  [
    'a server without TLS, and sslmode=require',
    () => ({
      ...list(`${database.managerUrl}?sslmode=require`),
      exits: 2,
      says: `Postgres does not use TLS at this address, and sslmode asks for it: switch TLS on at the server, or change sslmode in ${MANAGER}`,
    }),
  ],
  [
    'a login whose statements are cancelled at once',
    async () => ({
      ...list(await after((login) => `alter role ${login} set statement_timeout = '1ms'`)),
      exits: 5,
      says: 'the statement was cancelled, by statement_timeout or by an administrator (SQLSTATE 57014)',
    }),
  ],
  [
    'a login that is read-only',
    async () => ({
      run: ['disable', 'ws_acme', 'llm', 'anthropic'],
      env: {
        PROVIDER_MANAGER_DATABASE_URL: await after(
          (login) => `alter role ${login} reset all; alter role ${login} set default_transaction_read_only = on`,
        ),
      },
      exits: 5,
      says: ['the database is read-only: wait until its administrator ends that', MANAGER, 'SQLSTATE 25006'],
    }),
  ],
  [
    'a login that may have no connection',
    async () => ({
      ...list(await after((login) => `alter role ${login} reset all; alter role ${login} connection limit 0`)),
      exits: 5,
      says: [
        'Postgres has no free connection: lower PROVIDER_DATABASE_CONNECTIONS',
        'the connection limit of the login',
      ],
    }),
  ],
  [
    'a login that may not log in',
    async () => ({
      ...list(await after((login) => `alter role ${login} connection limit -1 nologin`)),
      exits: 2,
      says: ['Postgres refuses the login from this machine: check that it may log in', 'pg_hba.conf', MANAGER],
    }),
  ],
];

describe('a real Postgres refuses', () => {
  test.each(REAL)('%s', async (_, wrong) => checkWrong(await wrong()));
});

test('a table of another origin stops a migration, and is named', async () => {
  const name = `taken_${process.pid}`;
  await database.query(`create database ${name}`);
  const url = withUrl(database.ownerUrl, { database: name });
  try {
    await withSession(url, (session) => session.query('create table workspace_providers (id text)'));
    await checkWrong({
      ...migrate(url),
      exits: 2,
      says: ['the database cannot be migrated. Nothing was changed', 'workspace_providers', 'rename'],
    });
  } finally {
    await database.query(`drop database ${name}`);
  }
});
