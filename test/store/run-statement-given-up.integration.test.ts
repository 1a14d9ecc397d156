/** A statement that this process gives up leaves no session in Postgres, and delays no other one. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { expect, it, onTestFinished, vi } from 'vitest';
import { openManagementStore } from '../../src/store/management-store.js';
import { openProviderStore } from '../../src/store/provider-store.js';
import { withSession } from '../support/database.js';
import { useDatabase } from '../support/use-database.js';
import { anyWorkspace, provider, row, sealed } from './rows.js';

const database = useDatabase();
const PATIENCE = { timeout: 20_000 };
const LOCK = 'begin; lock table workspace_providers in access exclusive mode';

function openWorker(maxConnections: number) {
  const store = openProviderStore({ databaseUrl: database.resolverUrl, maxConnections });
  onTestFinished(() => store.close());
  return store;
}

async function registered(store: ReturnType<typeof openWorker>): Promise<string> {
  const workerId = randomUUID();
  const facts = { taskQueue: workerId, identity: 'test', build: '0', leaseMs: 1_000, longestStepMs: 1_000 };
  await store.registerWorker({ workerId, ...facts });
  return workerId;
}

async function waiting(session: pg.Client): Promise<number> {
  const WAITING = `select from pg_locks
    where not granted and database = (select oid from pg_database where datname = current_database())`;
  return (await session.query(WAITING)).rowCount ?? 0;
}

it('renewals are answered while every connection of the loads waits [G16]', async () => {
  const store = openWorker(1);
  const workerId = await registered(store);
  await withSession(database.ownerUrl, async (session) => {
    await session.query(LOCK);
    const loads = Promise.all([store.readWorkspace('ws_a'), store.readWorkspace('ws_b')]);
    await vi.waitUntil(async () => (await waiting(session)) === 1, PATIENCE);
    expect(await store.renewLease(workerId, 0, 5_000)).toBeDefined();
    await session.query('rollback');
    await loads;
  });
});

it('a read that is aborted fails at once, whether it was sent or waits for a connection, and ends in Postgres too', async () => {
  const store = openWorker(1);
  await withSession(database.ownerUrl, async (session) => {
    await session.query(LOCK);
    const controller = new AbortController();
    const reads = ['ws_a', 'ws_b'].map((workspaceId) => store.readWorkspace(workspaceId, controller.signal));
    const outcomes = Promise.allSettled(reads);
    await vi.waitUntil(async () => (await waiting(session)) === 1, PATIENCE);
    controller.abort();
    const aborted = { status: 'rejected', reason: { type: 'StoreUnavailable', retryable: true } };
    expect(await outcomes).toMatchObject([aborted, aborted]);
    await vi.waitUntil(async () => (await waiting(session)) === 0, PATIENCE);
    await session.query('rollback');
  });
  expect(await store.readWorkspace('ws_a')).toMatchObject({ providers: [] });
});

it('the attempts of a rotation behind a lock leave no sessions that wait, and none is made later', async () => {
  const identity = provider(anyWorkspace());
  await database.manager.putProvider(identity, row('x'));
  const rotationId = randomUUID();
  const store = openManagementStore({ databaseUrl: database.managerUrl, queryTimeoutMs: 300 });
  onTestFinished(() => store.close());
  await store.stageRotation({ rotationId, provider: identity, fromVersion: 1, nextEncryptedConfig: sealed('next') });
  await store.beginRotation(rotationId, 'a-workflow');
  await store.advanceRotation(rotationId, 'checked');
  const attempts = [
    () => store.activateRotation(rotationId),
    () => store.readWorkspace(identity.workspaceId),
    () => store.endRotation(rotationId, { state: 'failed', reason: 'a test' }),
    () => store.listWorkers(),
  ];
  await withSession(database.ownerUrl, async (session) => {
    await session.query(`${LOCK}; lock table provider_rotations, resolver_workers in access exclusive mode`);
    for (let round = 0; round < 3; round += 1) {
      for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ type: 'StoreUnavailable' });
      await vi.waitUntil(async () => (await waiting(session)) === 0, PATIENCE);
    }
    await session.query('rollback');
  });
  const { providers } = await database.manager.readWorkspace(identity.workspaceId);
  expect(providers).toMatchObject([{ version: 1 }]);
  expect(await database.manager.findOpenRotation(identity)).toBe(rotationId);
});
