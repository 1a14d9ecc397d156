/** A platform may have tables, functions and roles with the names of ours. Logins belong to a whole server, so it is its own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PostgresPart, startPostgres } from '../../src/dev/postgres.js';
import { namesInPublic } from '../../src/store/foreign-objects.js';
import { migrate } from '../../src/store/migrate.js';
import { withSession, withUrl } from '../support/database.js';

let server: PostgresPart;
let count = 0;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

const query = (url: string, text: string) => withSession(url, (session) => session.query(text));

async function databaseWith(sql: string): Promise<string> {
  count += 1;
  await query(server.url, `create database platform_${count}`);
  const url = withUrl(server.url, { database: `platform_${count}` });
  await query(url, sql);
  return url;
}

describe('a database that is not migrated', () => {
  it.each([
    ['a table', 'create table workspace_providers (id uuid primary key)', 'table', 'public.workspace_providers'],
    ['a view', 'create view workspace_keys as select 1 as one', 'view', 'public.workspace_keys'],
    ['a sequence', 'create sequence resolver_renewals', 'sequence', 'public.resolver_renewals'],
    [
      'an index of another table',
      'create table llm_keys (id text); create index workspace_providers_rotated on llm_keys (id)',
      ...(['index', 'public.workspace_providers_rotated'] as const),
    ],
    ['a type', "create type provider_epoch as enum ('a')", 'type', 'public.provider_epoch'],
    ['a schema with tables', 'create schema provider_api create table calls (id text)', 'schema', 'provider_api'],
    [
      'a schema with functions',
      'create schema provider_api; create function provider_api.now() returns int language sql return 1',
      ...(['schema', 'provider_api'] as const),
    ],
  ])(
    'is refused with %s of our name, and the rename that the message has lets it be migrated',
    async (_what, sql, kind, name) => {
      const url = await databaseWith(sql);
      const relations = 'select oid::regclass::text from pg_class where relnamespace::regnamespace::text !~ $$^pg_$$';
      const before = (await query(url, relations)).rows;
      const refusal = await migrate(url).catch((error) => error);
      expect(refusal).toMatchObject({ type: 'SetupInvalid', facts: { fields: ['PROVIDER_ADMIN_DATABASE_URL'] } });
      expect(refusal.message).toContain(`the ${kind} ${name} (owner: ${new URL(server.url).username})`);
      expect((await query(url, relations)).rows).toEqual(before);
      await query(url, /`(alter [^`]+)`/.exec(refusal.message)?.[1] ?? '');
      expect((await migrate(url)).length).toBeGreaterThan(5);
      expect(await migrate(url)).toEqual([]);
    },
  );

  it('is refused with a login that has the name of a role, until that is renamed', async () => {
    const url = await databaseWith('select');
    // Other databases of the server have made the roles.
    await query(url, 'alter role provider_manager login');
    await expect(migrate(url)).rejects.toThrow('`alter role provider_manager rename to provider_manager_login`');
    await query(url, 'alter role provider_manager nologin');
    expect((await migrate(url)).length).toBeGreaterThan(5);
  });

  it('is told everything that is in the way at once', async () => {
    const url = await databaseWith('create table workspace_providers (id int); create table provider_events (id int)');
    await expect(migrate(url)).rejects.toThrow(/public\.provider_events.*\n.*public\.workspace_providers/);
  });

  it('is migrated with an empty schema of our name, and with tables of our names in other schemas', async () => {
    const url = await databaseWith(
      'create schema provider_api; create schema app create table workspace_providers (id int)',
    );
    expect((await migrate(url)).length).toBeGreaterThan(5);
  });
});

it('every relation that the schema creates in `public` is looked for', async () => {
  const url = await databaseWith('select');
  await migrate(url);
  const { rows } = await query(
    url,
    `select relname from pg_class c where relnamespace = 'public'::regnamespace and not exists (
       -- Postgres chooses another name for these if the usual one is taken.
       select from pg_constraint where conindid = c.oid
       union all select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'i'
     )`,
  );
  expect(rows.map(({ relname }) => relname).sort()).toEqual([...namesInPublic()].sort());
});
