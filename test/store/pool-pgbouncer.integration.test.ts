/** Workers, managers and other services behind PgBouncer in transaction mode (Debian's package), on shared sessions. */
import type pg from 'pg';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { listenForChanges } from '../../src/store/change-listener.js';
import type { ManagementStore } from '../../src/store/management-store.js';
import { openProviderStore, type ProviderStore } from '../../src/store/provider-store.js';
import { type PgBouncerPart, startPgBouncer } from '../../testbed/pgbouncer.js';
import { behindPooler } from '../../testbed/stage-database.js';
import { createTestDatabase, withSession } from '../support/database.js';
import { postgresUrl } from '../support/parts.js';
import { useDatabase } from '../support/use-database.js';
import { anyWorkspace, dataKey, provider, row } from './rows.js';

const SESSIONS = 2;
const CLIENTS = 10;
const WORKSPACES = Array.from({ length: 40 }, anyWorkspace);
const SETTING = `select current_setting('app.workspace_id', true) as setting`;

let pooler: PgBouncerPart;
let manager: ManagementStore;
let worker: ProviderStore;
const database = useDatabase(
  async (teardown) => {
    const direct = await createTestDatabase(teardown);
    pooler = await teardown.use(startPgBouncer({ postgresUrl: postgresUrl(), poolSize: SESSIONS }));
    return behindPooler(direct, pooler);
  },
  { maxConnections: CLIENTS },
);
beforeAll(() => {
  ({ manager, worker } = database);
});

/** Runs `work` at the same time on more clients of one login than the pooler has sessions. */
async function atOnce<Result>(url: string, work: (client: pg.Client, turn: number) => Promise<Result>) {
  return Promise.all(
    Array.from({ length: CLIENTS }, (_, turn) => withSession(pooler.through(url), (client) => work(client, turn))),
  );
}

/** The distinct values of the setting in the server's sessions. */
async function settingsLeft(url: string): Promise<unknown[]> {
  const seen = await atOnce(url, async (client) => (await client.query(SETTING)).rows[0].setting || '');
  return [...new Set(seen)];
}

describe('through a pooler in transaction mode', () => {
  it('a manager configures, rotates and lists the providers of many workspaces at once', async () => {
    await manager.preflight();
    await Promise.all(
      WORKSPACES.map(async (workspace) => {
        const identity = provider(workspace);
        await manager.addDataKey(workspace, dataKey(`key-${workspace}`));
        expect(await manager.putProvider(identity, { ...row(workspace), expectedVersion: 0 })).toEqual({ version: 1 });
        await manager.setStatus(identity, 'disabled');
        await manager.setStatus(identity, 'active');
        await manager.recordCheck(identity, 3, 'ok');
        const rotationId = `rotation-${workspace.replace(/\W/g, '-')}`;
        const nextEncryptedConfig = row('next').encryptedConfig;
        await manager.stageRotation({ rotationId, provider: identity, fromVersion: 3, nextEncryptedConfig });
        await manager.beginRotation(rotationId, workspace);
        await manager.advanceRotation(rotationId, 'checked');
        expect(await manager.activateRotation(rotationId)).toEqual({ version: 4 });
        await manager.endRotation(rotationId, { state: 'revoked' });
        const listed = await manager.listProviders(workspace);
        expect(listed).toMatchObject([{ config: { note: workspace }, version: 4, status: 'active' }]);
      }),
    );
    const page = { limit: 100 };
    expect((await manager.listActiveProviders(page)).length).toBe(WORKSPACES.length);
    expect((await manager.listDataKeys(undefined, 100)).length).toBe(WORKSPACES.length);
    expect((await manager.listRotations(undefined, 100)).length).toBe(WORKSPACES.length);
  });

  it('a worker reads each workspace, gets a lease and learns what changed', async () => {
    await worker.preflight();
    await Promise.all(
      [...WORKSPACES, ...WORKSPACES].map(async (workspace) => {
        const { dataKeys, providers } = await worker.readWorkspace(workspace);
        expect(dataKeys).toEqual([dataKey(`key-${workspace}`)]);
        expect(providers).toMatchObject([{ config: { note: workspace }, version: 4 }]);
      }),
    );
    const workerId = 'behind-a-pooler';
    const registration = { workerId, taskQueue: 'q', identity: 'i', build: '0', leaseMs: 1_000, longestStepMs: 0 };
    await worker.registerWorker(registration);
    const { epoch } = await manager.readEpoch();
    await manager.setStatus(provider(WORKSPACES[0] as string), 'disabled');
    expect(await worker.renewLease(workerId, epoch, 20_000)).toEqual({
      epoch: epoch + 1,
      changed: [WORKSPACES[0]],
      databaseMs: expect.any(Number),
    });
    await worker.deregisterWorker(workerId);
  });

  it('another service sees only its workspace, through a setting that ends with the transaction', async () => {
    const seen = await atOnce(database.tenantUrl, async (client, turn) => {
      const workspaces: string[][] = [];
      for (let round = 0; round < 4; round += 1) {
        await client.query('begin');
        await client.query(`select set_config('app.workspace_id', $1, true)`, [WORKSPACES[turn]]);
        const { rows } = await client.query('select workspace_id from workspace_providers');
        await client.query(`update workspace_providers set rotate_every = '90 days'`);
        await client.query('commit');
        workspaces.push(rows.map(({ workspace_id }) => workspace_id));
      }
      return workspaces;
    });
    expect(seen).toEqual(seen.map((_, turn) => Array(4).fill([WORKSPACES[turn]])));
    const without = await atOnce(database.tenantUrl, async (client) => {
      return (await client.query('select from workspace_providers')).rowCount;
    });
    expect(new Set(without)).toEqual(new Set([0]));
  });

  it('no setting, statement or lock is left in a session [G12]', async () => {
    for (const url of [database.managerUrl, database.resolverUrl, database.tenantUrl]) {
      expect(await settingsLeft(url)).toEqual(['']);
      await atOnce(url, async (client) => {
        const { rows } = await client.query(`
          select (select count(*) from pg_prepared_statements)::int as statements,
            (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())::int as locks,
            (select count(*) from pg_listening_channels())::int as channels`);
        expect(rows).toEqual([{ statements: 0, locks: 0, channels: 0 }]);
      });
    }
    await withSession(database.ownerUrl, async (session) => {
      const { rows } = await session.query(`
        select usename, count(*)::int as sessions from pg_stat_activity
        where datname = current_database() and usename ~ '^provider_' group by 1`);
      expect(rows).toHaveLength(3);
      for (const { sessions } of rows) expect(sessions).toBeLessThanOrEqual(SESSIONS);
    });
  });

  it('a change notifies a listener that has a direct connection', async () => {
    const onChange = vi.fn();
    const listener = listenForChanges(database.settings.PROVIDER_LISTEN_DATABASE_URL as string, onChange);
    await vi.waitUntil(() => onChange.mock.calls.length === 1, { timeout: 20_000 });
    await manager.setStatus(provider(WORKSPACES[1] as string), 'disabled');
    await vi.waitUntil(() => onChange.mock.calls.length === 2, { timeout: 20_000 });
    await listener.close();
  });
});

// These tests run last because they leave settings and statements in the sessions.
describe('behind a pooler in transaction mode, clients that rely on a session', () => {
  it('find the settings of another client in it', async () => {
    const pids = await atOnce(database.tenantUrl, async (client) => {
      await client.query(`select set_config('app.workspace_id', 'ws_left', false)`);
      return (await client.query('select pg_backend_pid() as pid')).rows[0].pid;
    });
    expect(new Set(pids).size).toBeLessThanOrEqual(SESSIONS);
    expect(await settingsLeft(database.tenantUrl)).toContain('ws_left');
  });

  it('get an error that names the setting to change if their prepared statements collide', async () => {
    const open = () => openProviderStore({ databaseUrl: pooler.through(database.resolverUrl), maxConnections: 1 });
    const stores = Array.from({ length: SESSIONS + 1 }, open);
    const reads = await Promise.allSettled(stores.map((store) => store.readWorkspace('ws_a')));
    const refusals = reads.flatMap((read) => (read.status === 'rejected' ? [read.reason] : []));
    for (const store of stores) await store.close();
    expect(refusals.length).toBeGreaterThanOrEqual(1);
    for (const refusal of refusals)
      expect(refusal).toMatchObject({
        type: 'StoreUnavailable',
        message: expect.stringContaining('PROVIDER_PREPARED_STATEMENTS=false'),
      });
  });
});
