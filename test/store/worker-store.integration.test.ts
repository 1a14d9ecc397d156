/** A fence sees every change by any writer, and no writer makes another one wait. */
import pg from 'pg';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { ManagementStore } from '../../src/store/management-store.js';
import { openProviderStore, type ProviderStore } from '../../src/store/provider-store.js';
import { withSession } from '../support/database.js';
import { databaseForTest, useDatabase } from '../support/use-database.js';
import { anyWorkspace, dataKey, provider, row, sealed } from './rows.js';

const database = useDatabase();
let manager: ManagementStore;
let worker: ProviderStore;
beforeAll(() => {
  ({ manager, worker } = database);
});

/** Runs SQL that bypasses the functions, as psql does. */
const psql = (sql: string) => database.query(sql);

let registered = 0;
async function register(): Promise<string> {
  const workerId = `worker-${++registered}`;
  const facts = { taskQueue: `queue-${workerId}`, identity: 'test', build: '0', leaseMs: 1_000, longestStepMs: 1_000 };
  await worker.registerWorker({ workerId, ...facts });
  return workerId;
}

/** The workspaces that changed while `change` ran, as reported to a worker that had applied all earlier changes. */
async function changedBy(change: () => Promise<unknown>): Promise<readonly string[] | 'everything' | undefined> {
  const workerId = await register();
  const { epoch: applied } = await manager.readEpoch();
  await change();
  const renewal = await worker.renewLease(workerId, applied, 1_000);
  return renewal?.changed === 'everything' ? 'everything' : renewal?.changed.toSorted();
}

async function stored(...workspaceIds: string[]): Promise<void> {
  for (const workspaceId of workspaceIds) await manager.putProvider(provider(workspaceId), row('a'));
}

describe('a lease renewal reports', () => {
  it.each([
    ['put', (ws: string) => manager.putProvider(provider(ws), row('b'))],
    ['disabled', (ws: string) => manager.setStatus(provider(ws), 'disabled')],
    ['removed', (ws: string) => manager.removeProvider(provider(ws))],
    [
      'written by psql',
      (ws: string) => psql(`update workspace_providers set config = '{}' where workspace_id = '${ws}'`),
    ],
    ['deleted by psql', (ws: string) => psql(`delete from workspace_providers where workspace_id = '${ws}'`)],
    [
      'written while triggers are off for replication',
      (ws: string) =>
        psql(`set session_replication_role = replica;
        update workspace_providers set config = '{}' where workspace_id = '${ws}'`),
    ],
  ])('a provider that was %s', async (_, change) => {
    const workspaceId = anyWorkspace();
    await stored(workspaceId);
    expect(await changedBy(() => change(workspaceId))).toEqual([workspaceId]);
  });

  it('every workspace that one transaction changes, under one epoch', async () => {
    const workspaceIds = [anyWorkspace(), anyWorkspace(), anyWorkspace()].toSorted();
    await stored(...workspaceIds);
    const { epoch: before } = await manager.readEpoch();
    const list = workspaceIds.map((id) => `'${id}'`).join(', ');
    expect(
      await changedBy(() => psql(`update workspace_providers set config = '{}' where workspace_id in (${list})`)),
    ).toEqual(workspaceIds);
    expect((await manager.readEpoch()).epoch).toBe(before + 1);
  });

  it('a workspace whose data keys were deleted', async () => {
    const workspaceId = anyWorkspace();
    await manager.addDataKey(workspaceId, dataKey('k1'));
    expect(await changedBy(() => manager.deleteDataKeys(workspaceId))).toEqual([workspaceId]);
  });

  it('the clock of Postgres', async () => {
    const workerId = await register();
    const { databaseMs = 0 } = (await worker.renewLease(workerId, 0, 1_000)) ?? {};
    expect(Math.abs(databaseMs - Date.now())).toBeLessThan(10_000);
  });

  it('everything if the table is truncated', async () => {
    const other = await databaseForTest();
    const store = openProviderStore({ databaseUrl: other.resolverUrl });
    await store.registerWorker({
      workerId: 'w',
      taskQueue: 'q',
      identity: 'i',
      build: '0',
      leaseMs: 1,
      longestStepMs: 1,
    });
    await withSession(other.ownerUrl, (session) => session.query('truncate workspace_providers'));
    expect(await store.renewLease('w', 0, 1_000)).toEqual({
      epoch: 1,
      changed: 'everything',
      databaseMs: expect.any(Number),
    });
    await store.deregisterWorker('w');
    await store.close();
  });
});

it('a worker shows the revision of the key set of grants that it uses, or none', async () => {
  const workerId = await register();
  const shown = async () => (await manager.listWorkers()).find((row) => row.workerId === workerId)?.grantKeys;
  await worker.renewLease(workerId, 0, 1_000, 'a1b2c3d4a1b2c3d4');
  expect(await shown()).toBe('a1b2c3d4a1b2c3d4');
  await expect(worker.renewLease(workerId, 0, 1_000, 'not a digest')).rejects.toMatchObject({ name: 'ProviderError' });
  await worker.renewLease(workerId, 0, 1_000);
  expect(await shown()).toBe('');
});

describe('the epoch is not raised', () => {
  it('by a transaction that rolls back', async () => {
    const workspaceId = anyWorkspace();
    await stored(workspaceId);
    const { epoch: before } = await manager.readEpoch();
    const change = `update workspace_providers set config = '{}' where workspace_id = '${workspaceId}'`;
    expect(await changedBy(() => psql(`begin; ${change}; rollback`))).toEqual([]);
    expect((await manager.readEpoch()).epoch).toBe(before);
  });

  it('by a change that no reader sees: the result of a check, a rotation interval', async () => {
    const workspaceId = anyWorkspace();
    await stored(workspaceId);
    expect(
      await changedBy(async () => {
        await manager.recordCheck(provider(workspaceId), 1, 'ok');
        await psql(`update workspace_providers set rotate_every = '1 day' where workspace_id = '${workspaceId}'`);
      }),
    ).toEqual([]);
  });
});

describe('a change gets its epoch after its commit', () => {
  const update = (ws: string) => `update workspace_providers set config = '{}' where workspace_id = '${ws}'`;

  it('so an open transaction delays no other change, and is not missed when it commits later [G16]', async () => {
    const [first, second] = [anyWorkspace(), anyWorkspace()];
    await stored(first, second);
    const { epoch: applied } = await manager.readEpoch();
    const workerId = await register();
    await withSession(database.ownerUrl, async (early) => {
      await early.query(`begin; ${update(first)}; set constraints all immediate`);
      await psql(update(second));
      expect(await worker.renewLease(workerId, applied, 1_000)).toEqual({
        epoch: applied + 1,
        changed: [second],
        databaseMs: expect.any(Number),
      });
      await early.query('commit');
    });
    expect(await worker.renewLease(workerId, applied + 1, 1_000)).toEqual({
      epoch: applied + 2,
      changed: [first],
      databaseMs: expect.any(Number),
    });
  });

  it('so a transaction that reads its own change sees the epoch without it', async () => {
    const workspaceId = anyWorkspace();
    await stored(workspaceId);
    const { epoch: before } = await manager.readEpoch();
    await withSession(database.ownerUrl, async (session) => {
      await session.query(`begin; ${update(workspaceId)}`);
      const { rows } = await session.query('select epoch from provider_api.read_workspace($1)', [workspaceId]);
      expect(Number(rows[0].epoch)).toBe(before);
      await session.query('rollback');
    });
    expect((await manager.readEpoch()).epoch).toBe(before);
  });

  it('although rows of a restored dump have the same transaction id', async () => {
    const workspaceId = anyWorkspace();
    await stored(workspaceId);
    const workerId = await register();
    await withSession(database.ownerUrl, async (session) => {
      await session.query('begin');
      const { rows } = await session.query('select pg_current_xact_id()::text as id');
      // As after a restore: a committed row of another transaction with this id.
      await psql(`insert into provider_changes values ('${workspaceId}', '${rows[0].id}')`);
      await session.query(update(workspaceId));
      await manager.readEpoch();
      await session.query('commit');
    });
    const { epoch: applied } = await manager.readEpoch();
    expect(await worker.renewLease(workerId, applied - 1, 1_000)).toMatchObject({ changed: [workspaceId] });
  });

  it('from one caller at a time: a fence waits for the others, a renewal does not', async () => {
    const workspaceId = anyWorkspace();
    await stored(workspaceId);
    const workerId = await register();
    await withSession(database.managerUrl, async (numbering) => {
      await numbering.query('begin');
      const { rows } = await numbering.query('select epoch from provider_api.read_epoch()');
      const epoch = Number(rows[0].epoch);
      await psql(update(workspaceId));
      expect(await worker.renewLease(workerId, 0, 1_000)).toMatchObject({ epoch: expect.any(Number) });
      await expect(manager.readEpoch()).rejects.toMatchObject({ type: 'StoreUnavailable' });
      await numbering.query('commit');
      expect((await manager.readEpoch()).epoch).toBe(epoch + 1);
    });
  });

  it('does not deadlock transactions that change the same rows in different orders', async () => {
    const [a, b] = [anyWorkspace(), anyWorkspace()];
    await stored(a, b);
    const touch = (ws: string) =>
      `update workspace_providers set config = config || '{"n": 1}' where workspace_id = '${ws}'`;
    const rounds = Array.from({ length: 20 }, async () => {
      await psql(`begin; ${touch(a)}; ${touch(b)}; commit`);
      await psql(`insert into workspace_providers (workspace_id, provider_type, provider_name, config, encrypted_config)
        values ('${a}', 'llm', 'anthropic', '{}', '${sealed('x')}')
        on conflict (workspace_id, provider_type, provider_name) do update set config = '{"n": 2}'`);
    });
    await Promise.all(rounds);
  });
});

describe('a lease renewal reports everything', () => {
  it('to a worker that needs changes that were pruned', async () => {
    const workerId = await register();
    await manager.readEpoch();
    await psql(`update provider_epoch set epoch = 20998`);
    await stored(anyWorkspace());
    const { epoch: applied } = await manager.readEpoch();
    await stored(anyWorkspace());
    expect(await worker.renewLease(workerId, 11_000, 1_000)).toEqual({
      epoch: 21_000,
      changed: expect.any(Array),
      databaseMs: expect.any(Number),
    });
    expect(await worker.renewLease(workerId, 10_999, 1_000)).toEqual({
      epoch: 21_000,
      changed: 'everything',
      databaseMs: expect.any(Number),
    });
    expect(await worker.renewLease(workerId, applied, 1_000)).toMatchObject({ changed: [expect.any(String)] });
    const { rows } = await psql('select min(epoch) from provider_invalidations');
    expect(Number(rows[0].min)).toBeGreaterThan(11_000);
  });

  it('if a change covers too many workspaces to list', async () => {
    const sql = `insert into workspace_providers (workspace_id, provider_type, provider_name, config, encrypted_config)
      select 'bulk-' || n, 'llm', 'openai', '{}', '${sealed('x')}' from generate_series(1, 1001) as n`;
    expect(await changedBy(() => psql(sql))).toBe('everything');
  });
});

describe('a worker’s row', () => {
  const find = async (workerId: string) => (await manager.listWorkers()).find((each) => each.workerId === workerId);

  it('holds the epoch that the worker applied, and a new renewal id after each renewal', async () => {
    const workerId = await register();
    const first = await find(workerId);
    await worker.renewLease(workerId, 0, 1_000);
    await worker.renewLease(workerId, 1, 1_000);
    const second = await find(workerId);
    expect(second).toMatchObject({ state: 'live', leaseMs: 1_000, appliedEpoch: 1 });
    expect(second?.renewal).not.toBe(first?.renewal);
  });

  it('is marked as vanished only if it was not renewed since it was read; then it gets no lease until it registers', async () => {
    const workerId = await register();
    const seen = await find(workerId);
    if (!seen) throw new Error('not registered');
    await worker.renewLease(workerId, 0, 1_000);
    expect(await manager.markVanished([seen])).toEqual([]);
    const again = await find(workerId);
    expect(await manager.markVanished([again ?? seen])).toEqual([workerId]);
    expect(await worker.renewLease(workerId, 0, 1_000)).toBeUndefined();
    await worker.registerWorker({ ...seen });
    expect(await worker.renewLease(workerId, 0, 1_000)).toBeDefined();
    // A row that was read before the worker came back is too old to mark it as vanished.
    expect(await manager.markVanished([seen, again ?? seen])).toEqual([]);
    expect(await manager.forgetWorkers([again ?? seen])).toEqual([]);
  });

  it('is deleted when the worker deregisters', async () => {
    const workerId = await register();
    await worker.deregisterWorker(workerId);
    expect(await find(workerId)).toBeUndefined();
    expect(await worker.renewLease(workerId, 0, 1_000)).toBeUndefined();
  });
});

it('a commit notifies listeners at once, and a rollback does not', async () => {
  const workspaceId = anyWorkspace();
  await stored(workspaceId);
  // A change that still waits for its epoch has given the hint already.
  await manager.readEpoch();
  const session = new pg.Client({ connectionString: database.resolverUrl });
  await session.connect();
  const heard: string[] = [];
  session.on('notification', ({ payload = '' }) => heard.push(payload));
  await session.query('listen provider_changes');
  await psql(`begin; delete from workspace_providers where workspace_id = '${workspaceId}'; rollback`);
  await manager.putProvider(provider(workspaceId), row('b'));
  await vi.waitUntil(() => heard.length > 0, { timeout: 20_000 });
  expect(heard).toEqual(['']);
  const { epoch } = await manager.readEpoch();
  await vi.waitUntil(() => heard.length > 1, { timeout: 20_000 });
  expect(heard, 'and again once the change has an epoch').toEqual(['', String(epoch)]);
  await session.end();
});
