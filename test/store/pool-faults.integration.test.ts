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

const AWAY = { type: 'StoreUnavailable', message: 'Postgres does not answer', retryable: true };

/** A new session takes 10 ms of password hashing, on busy cores a second. */
const PATIENCE = { timeout: 20_000 };

describe('while Postgres is away', () => {
  let server: RestartablePostgres;
  const database = useDatabase(async (teardown) => {
    server = await startOwnPostgres(teardown);
    return createTestDatabase(teardown, server.url);
  });

  it('a read fails as retryable, at the start and in flight, and succeeds when it is back', async () => {
    const { worker: store } = database;
    await server.stop();
    await expect(store.readWorkspace('ws_a')).rejects.toMatchObject(AWAY);
    await expect(store.preflight()).rejects.toMatchObject(AWAY);
    await expect(migrate(database.ownerUrl)).rejects.toMatchObject(AWAY);

    await server.restart();
    await store.readWorkspace('ws_a');

    await withSession(database.ownerUrl, async (session) => {
      await session.query('begin; lock table workspace_providers in access exclusive mode');
      const inFlight = expect(store.readWorkspace('ws_a')).rejects.toMatchObject(AWAY);
      await vi.waitUntil(async () => {
        const { rowCount } = await session.query(`select from pg_locks where not granted`);
        return rowCount === 1;
      }, PATIENCE);
      // A crash: told to end, the session that has the lock would give it to the one that waits.
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
    // The next one may still go out on the dead connection; what counts is that it says so, and that one heals.
    await vi.waitFor(async () => {
      expect(await store.readWorkspace('ws_a').catch((error) => error.type)).not.toBe('StoreUnavailable');
    }, PATIENCE);
  });

  it('a statement that gets no answer is given up, and its connection with it', async () => {
    await withSession(database.ownerUrl, async (session) => {
      await session.query('begin; lock table workspace_providers in access exclusive mode');
      await expect(store.readWorkspace('ws_a')).rejects.toMatchObject(AWAY);
      await session.query('rollback');
    });
    expect(await store.readWorkspace('ws_a')).toMatchObject({ providers: [] });
  });

  it('a missing migration, a missing role and a wrong password are each told apart', async () => {
    const cases = [
      [withUrl(database.resolverUrl, { database: 'postgres' }), 'not migrated: run `workspace-providers migrate`'],
      [database.tenantUrl, 'lacks a privilege: grant it the role provider_resolver'],
      [
        withUrl(database.resolverUrl, { password: 'canary-password' }),
        'refuses the login: check its name and password',
      ],
      [withUrl(database.resolverUrl, { database: 'canary_database' }), 'the database does not exist: check its name'],
    ] as const;
    for (const [databaseUrl, why] of cases) {
      const wrong = openProviderStore({ databaseUrl });
      const error = await wrong.readWorkspace('ws_a').catch((thrown) => thrown);
      await wrong.close();
      expect(error).toMatchObject({ type: 'StoreUnavailable', message: expect.stringContaining(why) });
      expect(inspect(error, { showHidden: true })).not.toMatch(/canary|test_|provider_resolver_/);
    }
  });

  it('a manager’s missing role is named too', async () => {
    const management = openManagementStore({ databaseUrl: database.resolverUrl });
    await expect(management.putProvider(provider('ws_a'), row('a'))).rejects.toMatchObject({
      message: 'the database login cannot manage providers: grant it provider_manager',
    });
    await management.close();
  });
});

describe('a server that accepts and never answers', () => {
  let silent: Server;
  beforeAll(async () => {
    silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => silent.close());

  it('is given up after the connect timeout', async () => {
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

describe('a database URL that is none', () => {
  it.each(['', 'canary', 'https://canary/', 'postgres://canary:canary@:port:/'])(
    'is refused unrepeated: %j',
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
