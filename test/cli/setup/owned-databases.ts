/** Databases that belong to logins that are not superusers, as on a managed Postgres, on a server of one test file. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll } from 'vitest';
import { type SetUpOptions, setUp } from '../../../src/cli/setup/set-up.js';
import { SetupFolder } from '../../../src/cli/setup/setup-files.js';
import { type PostgresPart, startPostgres } from '../../../src/dev/postgres.js';
import { withSession, withUrl } from '../../support/database.js';

export interface OwnedDatabase {
  /** Of the database and of its owner. */
  readonly name: string;
  readonly adminUrl: string;
  /** For the files of its set-up. It does not exist yet. */
  readonly folder: string;
}

export interface OwnedDatabases {
  /** A folder that is removed at the end. */
  readonly root: string;
  readonly logFile: string;
  create(attributes?: string): Promise<OwnedDatabase>;
  /** As a superuser, in that database. */
  query(database: string, text: string): Promise<void>;
  /** The logins of a database's set-up. */
  loginsOf(name: string): Promise<readonly string[]>;
}

export const ROLES = 'provider_owner, provider_auditor, provider_resolver, provider_manager';

/** Roles belong to a whole server, so each test file has its own. Its log has every statement. */
export function ownedDatabases(): OwnedDatabases {
  let server: PostgresPart;
  let root: string;
  let count = 0;
  beforeAll(async () => {
    server = await startPostgres({ settings: { log_statement: 'all' } });
    root = await mkdtemp(join(tmpdir(), 'workspace-providers-set-up-'));
  });
  afterAll(async () => {
    await server?.stop();
    await rm(root, { recursive: true, force: true });
  });
  const asSuperuser = <Result>(database: string, work: Parameters<typeof withSession<Result>>[1]) =>
    withSession(withUrl(server.url, { database }), work);
  return {
    get root() {
      return root;
    },
    get logFile() {
      return server.logFile;
    },
    async create(attributes = 'createrole') {
      count += 1;
      const name = `app_${count}`;
      await asSuperuser('postgres', async (session) => {
        await session.query(`create role ${name} login ${attributes} password 'fixture'`);
        await session.query(`create database ${name} owner ${name}`);
        // The first migration has created the roles.
        const { rowCount } = await session.query("select from pg_roles where rolname = 'provider_owner'");
        if (rowCount && attributes === 'createrole') await session.query(`grant ${ROLES} to ${name} with admin option`);
      });
      return {
        name,
        adminUrl: withUrl(server.url, { database: name, login: name, password: 'fixture' }),
        folder: join(root, name),
      };
    },
    query: (database, text) => asSuperuser(database, (session) => session.query(text)).then(() => {}),
    loginsOf: (name) =>
      asSuperuser('postgres', async (session) => {
        const { rows } = await session.query('select rolname from pg_roles where rolname like $1 order by 1', [
          `${name}\\_%`,
        ]);
        return rows.map(({ rolname }) => rolname as string);
      }),
  };
}

export async function filesIn(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')])),
  );
}

export async function settingsIn(folder: string) {
  const { 'worker.env': worker = '', 'starter.env': starter = '', 'manager.env': manager = '' } = await filesIn(folder);
  return { worker: parseEnv(worker), starter: parseEnv(starter), manager: parseEnv(manager) };
}

/** The error of a set-up, which must fail. */
export const refusal = (options: SetUpOptions, folder: string) =>
  setUp(options, new SetupFolder(folder)).then(
    () => Promise.reject(new Error('the set-up succeeded, but a refusal was expected')),
    (error) => error,
  );
