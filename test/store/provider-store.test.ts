import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PostgresPart, startPostgres } from '../../src/dev/postgres.js';
import { openProviderStore } from '../../src/store/provider-store.js';
import { createTestDatabase, type TestDatabase, withSession } from '../support/database.js';

let database: TestDatabase;

async function preflight(databaseUrl: string): Promise<void> {
  const store = openProviderStore({ databaseUrl });
  try {
    await store.preflight();
  } finally {
    await store.close();
  }
}

/** What a statement of the superuser changes, as long as `work` lasts. */
async function changed<Result>(statement: string, undo: string, work: () => Promise<Result>): Promise<Result> {
  return withSession(database.ownerUrl, async (session) => {
    await session.query(statement);
    try {
      return await work();
    } finally {
      await session.query(undo);
    }
  });
}

function loginOf(url: string): string {
  return new URL(url).username;
}

describe('preflight', () => {
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database?.drop());

  it('accepts a login that was granted provider_resolver', async () => {
    await preflight(database.resolverUrl);
  });

  it('refuses a superuser', async () => {
    await expect(preflight(database.ownerUrl)).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      message: expect.stringContaining('is, or can become, a superuser or BYPASSRLS'),
    });
  });

  it('refuses a login that can touch the tables', async () => {
    await expect(preflight(database.tenantUrl)).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      message: 'the database login can touch the tables: grant it provider_resolver alone',
    });
  });

  it.each([
    ['BYPASSRLS', 'alter role LOGIN bypassrls', 'alter role LOGIN nobypassrls', 'a superuser or BYPASSRLS'],
    ['membership in the owner', 'grant provider_owner to LOGIN', 'revoke provider_owner from LOGIN', 'owns the tables'],
    [
      'membership in the tenant role, also one that is not inherited',
      'alter role LOGIN noinherit; grant provider_tenant to LOGIN',
      'revoke provider_tenant from LOGIN; alter role LOGIN inherit',
      'can touch the tables',
    ],
    [
      'one column of one table',
      'grant select (kid) on workspace_keys to LOGIN',
      'revoke select (kid) on workspace_keys from LOGIN',
      'can touch the tables',
    ],
    [
      'no role at all',
      'revoke provider_resolver from LOGIN',
      'grant provider_resolver to LOGIN',
      'cannot read providers: grant it provider_resolver',
    ],
  ])('refuses a login with %s', async (_, statement, undo, why) => {
    const login = loginOf(database.resolverUrl);
    await changed(statement.replaceAll('LOGIN', login), undo.replaceAll('LOGIN', login), () =>
      expect(preflight(database.resolverUrl)).rejects.toMatchObject({
        type: 'ProviderConfigInvalid',
        message: expect.stringContaining(why),
      }),
    );
    await preflight(database.resolverUrl);
  });

  it.each([
    ['a table whose row-level security is not forced', 'no force row level security', 'force row level security'],
    ['a table without row-level security', 'disable row level security', 'enable row level security'],
  ])('refuses %s', async (_, change, undo) => {
    await changed(`alter table workspace_keys ${change}`, `alter table workspace_keys ${undo}`, () =>
      expect(preflight(database.resolverUrl)).rejects.toMatchObject({
        type: 'ProviderConfigInvalid',
        message: expect.stringContaining('row-level security'),
      }),
    );
  });

  it('refuses functions of an owner whom row-level security does not bind', async () => {
    const FUNCTION = 'alter function provider_api.read_workspace owner to';
    await changed(`${FUNCTION} postgres`, `${FUNCTION} provider_owner`, () =>
      expect(preflight(database.resolverUrl)).rejects.toMatchObject({
        message: expect.stringContaining('row-level security'),
      }),
    );
  });

  it('refuses a database that is older than this build, and takes a newer one', async () => {
    const LATEST = `(select max(name) from provider_api.migrations)`;
    const RENAME = `update provider_api.migrations set name =`;
    await changed(
      `${RENAME} '0000_older' || id where true`,
      `${RENAME} '9999_newer' where id = (select max(id) from provider_api.migrations)`,
      () =>
        expect(preflight(database.resolverUrl)).rejects.toMatchObject({
          type: 'ProviderConfigInvalid',
          message: 'the database is older than this build: run `workspace-providers migrate`',
        }),
    );
    await preflight(database.resolverUrl);
    await withSession(database.ownerUrl, async (session) => {
      expect((await session.query(`select ${LATEST} as name`)).rows).toEqual([{ name: '9999_newer' }]);
    });
  });
});

describe('on a server that logs each statement', () => {
  let server: PostgresPart;
  beforeAll(async () => {
    server = await startPostgres({ settings: { log_statement: 'all' } });
    database = await createTestDatabase(server.url);
  });
  afterAll(() => server?.stop());

  async function statementsIn(log: string): Promise<string[]> {
    const lines = (await readFile(log, 'utf8')).split('\n').slice(logged);
    return lines.flatMap((line) => line.match(/(?:execute [^:]+|statement): .*/)?.[0] ?? []);
  }
  let logged = 0;

  it.each([
    [true, 'execute read_workspace: '],
    [false, 'execute <unnamed>: '],
  ])('a read is one statement; prepared: %s', async (preparedStatements, execute) => {
    const store = openProviderStore({ databaseUrl: database.resolverUrl, preparedStatements, maxConnections: 1 });
    logged = (await readFile(server.logFile, 'utf8')).split('\n').length - 1;
    for (let turn = 0; turn < 3; turn += 1) await store.readWorkspace('ws_a');
    const text = 'select epoch, data_keys, providers from provider_api.read_workspace($1)';
    expect(await statementsIn(server.logFile)).toEqual([text, text, text].map((statement) => execute + statement));
    await store.close();
    await store.close();
  });

  it('the preflight says where the database is not migrated', async () => {
    const login = loginOf(database.resolverUrl);
    const resolver = new URL(database.resolverUrl);
    resolver.pathname = '/postgres';
    expect(resolver.username).toBe(login);
    await expect(preflight(resolver.href)).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      message: 'the database is not migrated: run `workspace-providers migrate`',
    });
  });
});
