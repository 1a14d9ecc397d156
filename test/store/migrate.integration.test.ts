import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type PostgresPart, startPostgres } from '../../src/dev/postgres.js';
import { migrate } from '../../src/store/migrate.js';
import { latestMigration } from '../../src/store/migration-files.js';
import { openProviderStore } from '../../src/store/provider-store.js';
import { withSession, withUrl } from '../support/database.js';

describe('migrators that race', () => {
  it('apply each migration once: one migrator applies all, and the others find nothing to do', async () => {
    const server = inject('postgresUrl');
    const database = `test_${randomBytes(6).toString('hex')}`;
    await withSession(server, (session) => session.query(`create database ${database}`));
    const url = withUrl(server, { database });

    const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(url)));

    const names = applied.flat();
    expect(names).toEqual([...new Set(names)]);
    expect(names.at(-1)).toBe(latestMigration());
    expect(applied.filter((own) => own.length === 0)).toHaveLength(3);
    await withSession(server, (session) => session.query(`drop database ${database}`));
  });
});

describe('a migrator that is not a superuser, on a server without the roles', () => {
  let server: PostgresPart;
  /** A login that owns the database and has CREATEROLE, like Supabase's `postgres`. */
  let migratorUrl: string;
  beforeAll(async () => {
    server = await startPostgres();
    migratorUrl = await ownedDatabase('platform', 'createrole createdb bypassrls');
  });
  afterAll(() => server?.stop());

  async function ownedDatabase(name: string, attributes: string): Promise<string> {
    await withSession(server.url, async (session) => {
      await session.query(`create role ${name} login ${attributes} password 'fixture'`);
      await session.query(`create database ${name} owner ${name}`);
    });
    return withUrl(server.url, { database: name, login: name, password: 'fixture' });
  }

  it('gets an error that names the privileges that it lacks', async () => {
    const url = await ownedDatabase('lacking', 'nocreaterole');
    await expect(migrate(url)).rejects.toMatchObject({
      type: 'SetupInvalid',
      message:
        'the database login may not migrate: it must own the database, and either have CREATEROLE or (also if another login has created these roles) be granted provider_owner and provider_auditor; set PROVIDER_ADMIN_DATABASE_URL to the URL of such a login',
    });
  });

  it('migrates, and grants nothing to roles that its default privileges would let in', async () => {
    await withSession(migratorUrl, async (session) => {
      await session.query('create role anon nologin');
      await session.query('alter default privileges in schema public grant all on tables to anon');
      await session.query('alter default privileges grant execute on functions to anon');
    });
    expect(await migrate(migratorUrl)).toContain(latestMigration());

    await withSession(migratorUrl, async (session) => {
      const { rows } = await session.query(`
        select relname from pg_class
        where relnamespace in ('public'::regnamespace, 'provider_api'::regnamespace) and relkind = 'r'
          and has_table_privilege('anon', oid, 'select, insert, update, delete, truncate')
        union all
        select proname from pg_proc
        where pronamespace = 'provider_api'::regnamespace and has_function_privilege('anon', oid, 'execute')`);
      expect(rows).toEqual([]);
    });
  });

  it('creates a schema that a worker can use', async () => {
    await withSession(migratorUrl, async (session) => {
      await session.query(`create role worker login password 'fixture' in role provider_resolver`);
    });
    const store = openProviderStore({ databaseUrl: withUrl(migratorUrl, { login: 'worker' }) });
    await store.preflight();
    expect(await store.readWorkspace('ws_a')).toEqual({ epoch: 0, dataKeys: [], providers: [] });
    await store.close();
  });

  it('does not need CREATEROLE if an administrator has created the roles and granted it two of them', async () => {
    const url = await ownedDatabase('granted', 'nocreaterole');
    await withSession(server.url, (session) => session.query('grant provider_owner, provider_auditor to granted'));
    expect(await migrate(url)).toContain(latestMigration());
    expect(await migrate(url)).toEqual([]);
  });
});

describe('databases of one server that are migrated at the same time', () => {
  it('share the roles, regardless of which migrator creates them', async () => {
    const server = await startPostgres();
    try {
      const databases = ['one', 'two', 'three'];
      await withSession(server.url, async (session) => {
        for (const database of databases) await session.query(`create database ${database}`);
      });
      const applied = await Promise.all(databases.map((database) => migrate(withUrl(server.url, { database }))));
      expect(applied.map((names) => names.at(-1))).toEqual(databases.map(() => latestMigration()));
    } finally {
      await server.stop();
    }
  });
});
