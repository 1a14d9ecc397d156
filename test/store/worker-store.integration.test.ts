/** A fence sees every change by any writer, in the order of the commits. */
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
  const applied = await worker.readEpoch();
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
    const before = await worker.readEpoch();
    const list = workspaceIds.map((id) => `'${id}'`).join(', ');
    expect(
      await changedBy(() => psql(`update workspace_providers set config = '{}' where workspace_id in (${list})`)),
    ).toEqual(workspaceIds);
    expect(await worker.readEpoch()).toBe(before + 1);
  });

  it('both workspaces if a provider moves from one to the other', async () => {
    const [from, to] = [anyWorkspace(), anyWorkspace()].toSorted() as [string, string];
    await stored(from);
    expect(
      await changedBy(() =>
        psql(`update workspace_providers set workspace_id = '${to}' where workspace_id = '${from}'`),
      ),
    ).toEqual([from, to]);
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
    await store.close();
  });
});

describe('the epoch is not raised', () => {
  it('by a transaction that rolls back', async () => {
    const workspaceId = anyWorkspace();
    await stored(workspaceId);
    const before = await worker.readEpoch();
    const change = `update workspace_providers set config = '{}' where workspace_id = '${workspaceId}'`;
    expect(await changedBy(() => psql(`begin; ${change}; set constraints all immediate; rollback`))).toEqual([]);
    expect(await worker.readEpoch()).toBe(before);
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

describe('the order of epochs', () => {
  it('is the order of the commits: a second transaction waits until the first one ends', async () => {
    const [first, second] = [anyWorkspace(), anyWorkspace()];
    await stored(first, second);
    const applied = await worker.readEpoch();
    const workerId = await register();
    const update = (ws: string) => `update workspace_providers set config = '{}' where workspace_id = '${ws}'`;
    await withSession(database.ownerUrl, async (early) => {
      await early.query(`begin; ${update(first)}; set constraints all immediate`);
      const late = psql(update(second));
      await vi.waitUntil(async () => (await early.query('select from pg_locks where not granted')).rowCount, {
        timeout: 20_000,
      });
      // Neither change is visible, so no worker can apply the later one and miss the earlier one.
      expect(await worker.renewLease(workerId, applied, 1_000)).toEqual({
        epoch: applied,
        changed: [],
        databaseMs: expect.any(Number),
      });
      await early.query('commit');
      await late;
    });
    const renewal = await worker.renewLease(workerId, applied, 1_000);
    expect(renewal).toMatchObject({ epoch: applied + 2, changed: expect.arrayContaining([first, second]) });
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
    await psql(`update provider_epoch set epoch = 20998`);
    await stored(anyWorkspace());
    const applied = await worker.readEpoch();
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
  const find = async (workerId: string) => (await worker.listWorkers()).find((each) => each.workerId === workerId);

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
  const session = new pg.Client({ connectionString: database.resolverUrl });
  await session.connect();
  const heard: string[] = [];
  session.on('notification', ({ payload = '' }) => heard.push(payload));
  await session.query('listen provider_changes');
  await psql(`begin; delete from workspace_providers where workspace_id = '${workspaceId}'; rollback`);
  await manager.putProvider(provider(workspaceId), row('b'));
  await vi.waitUntil(() => heard.length > 0, { timeout: 20_000 });
  expect(heard).toEqual([String(await worker.readEpoch())]);
  await session.end();
});
