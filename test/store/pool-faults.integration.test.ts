import { createServer, type Server } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { openManagementStore } from '../../src/store/management-store.js';
import { migrate } from '../../src/store/migrate.js';
import { openProviderStore, type ProviderStore } from '../../src/store/provider-store.js';
import type { RestartablePostgres } from '../../testbed/restartable-postgres.js';
import { createTestDatabase, startOwnPostgres, withSession, withUrl } from '../support/database.js';
import { useDatabase } from '../support/use-database.js';
import { provider, row } from './rows.js';

const AWAY = {
  type: 'StoreUnavailable',
  message: expect.stringContaining('Postgres does not answer'),
  retryable: true,
};

/** Opening a session takes 10 ms of password hashing, or up to a second on busy cores. */
const PATIENCE = { timeout: 20_000 };

describe('while Postgres is down', () => {
  let server: RestartablePostgres;
  const database = useDatabase(async (teardown) => {
    server = await startOwnPostgres(teardown);
    return createTestDatabase(teardown, server.url);
  });

  it('a read fails as retryable, whether it has started or not, and succeeds when Postgres is back', async () => {
    const { worker: store } = database;
    await server.stop();
    await expect(store.readWorkspace('ws_a')).rejects.toMatchObject(AWAY);
    await expect(store.preflight()).rejects.toMatchObject(AWAY);
    await expect(migrate(database.ownerUrl)).rejects.toMatchObject({
      ...AWAY,
      message:
        'Postgres does not answer: nothing listens at its address; check that it runs, and host and port in ' +
        'PROVIDER_ADMIN_DATABASE_URL, or in DATABASE_URL if that is not set',
    });

    await server.restart();
    await store.readWorkspace('ws_a');

    await withSession(database.ownerUrl, async (session) => {
      await session.query('begin; lock table workspace_providers in access exclusive mode');
      const inFlight = expect(store.readWorkspace('ws_a')).rejects.toMatchObject(AWAY);
      await vi.waitUntil(async () => {
        const { rowCount } = await session.query(`select from pg_locks where not granted`);
        return rowCount === 1;
      }, PATIENCE);
      // As in a crash. In an orderly stop, the session with the lock would release it to the waiting one.
      await server.stop('immediate');
      await inFlight;
    });

    await server.restart();
    await store.readWorkspace('ws_a');
  });
});

describe('on the shared server', () => {
  const database = useDatabase(undefined, { queryTimeoutMs: 300 });
  let store: ProviderStore;
  beforeAll(() => {
    store = database.worker;
  });

  it('an idle connection that the server ends does not end the process', async () => {
    await store.readWorkspace('ws_a');
    await withSession(database.ownerUrl, async (session) => {
      const BACKENDS = `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`;
      expect((await session.query(BACKENDS)).rowCount).toBe(1);
      await vi.waitUntil(async () => (await session.query(BACKENDS)).rowCount === 0, PATIENCE);
    });
    // The next read may still use the dead connection and fail. A later one must succeed.
    await vi.waitFor(async () => {
      expect(await store.readWorkspace('ws_a').catch((error) => error.type)).not.toBe('StoreUnavailable');
    }, PATIENCE);
  });

  it('a statement that gets no answer fails, and its connection is closed [G23]', async () => {
    await withSession(database.ownerUrl, async (session) => {
      await session.query('begin; lock table workspace_providers in access exclusive mode');
      await expect(store.readWorkspace('ws_a')).rejects.toMatchObject({
        type: 'StoreUnavailable',
        message: expect.stringMatching(
          /^(a statement waited for a lock for too long: process \d+|Postgres does not answer)/,
        ),
      });
      await session.query('rollback');
    });
    expect(await store.readWorkspace('ws_a')).toMatchObject({ providers: [] });
  });

  it('a missing migration, a missing role and a wrong password each have their own error', async () => {
    const cases = [
      [withUrl(database.resolverUrl, { database: 'postgres' }), 'not migrated: run `workspace-providers migrate`'],
      [database.tenantUrl, 'lacks a privilege: grant it the role provider_resolver'],
      [
        withUrl(database.resolverUrl, { password: 'canary-password' }),
        'refuses the login: check its name and password in PROVIDER_DATABASE_URL, or in DATABASE_URL if that is not set',
      ],
      [
        withUrl(database.resolverUrl, { database: 'canary_database' }),
        'the database does not exist: create it, or correct its name',
      ],
    ] as const;
    for (const [databaseUrl, why] of cases) {
      const wrong = openProviderStore({ databaseUrl });
      const error = await wrong.readWorkspace('ws_a').catch((thrown) => thrown);
      await wrong.close();
      expect(error).toMatchObject({ type: 'StoreUnavailable', message: expect.stringContaining(why) });
      expect(inspect(error, { showHidden: true })).not.toMatch(/canary|test_|provider_resolver_/);
    }
  });

  it('the error of a manager without its role names the role and the setting', async () => {
    const management = openManagementStore({ databaseUrl: database.resolverUrl });
    await expect(management.putProvider(provider('ws_a'), row('a'))).rejects.toMatchObject({
      message:
        'the database login cannot manage providers: grant it provider_manager, or set PROVIDER_MANAGER_DATABASE_URL ' +
        'to the URL of a login that is granted only provider_manager',
    });
    await management.close();
  });
});

describe('a server that accepts connections and never answers', () => {
  let silent: Server;
  beforeAll(async () => {
    silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => silent.close());

  it('makes a read fail after the connect timeout', async () => {
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const databaseUrl = `postgres://canary-login:canary-password@127.0.0.1:${port}/canary`;
    const unanswered = openProviderStore({ databaseUrl, connectTimeoutMs: 100 });
    const error = await unanswered.readWorkspace('ws_a').catch((thrown) => thrown);
    expect(error).toMatchObject(AWAY);
    expect(inspect(error, { showHidden: true })).not.toContain('canary');
    await unanswered.close();
  });
});

describe('an invalid database URL', () => {
  it.each(['', 'canary', 'https://canary/', 'postgres://canary:canary@:port:/'])(
    'is refused with an error that does not repeat it: %j',
    async (url) => {
      const refused = { type: 'SetupInvalid', facts: { fields: ['databaseUrl'] } };
      for (const open of [openProviderStore, openManagementStore]) {
        expect(() => open({ databaseUrl: url })).toThrow(expect.objectContaining(refused));
        expect(() => open({ databaseUrl: url })).not.toThrow(/canary/);
      }
      await expect(migrate(url)).rejects.toMatchObject(refused);
      expect(inject('postgresUrl')).toMatch(/^postgres/);
    },
  );
});
