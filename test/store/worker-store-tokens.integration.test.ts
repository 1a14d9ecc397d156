/** A worker speaks for itself: by a token that only it was told, and by its own count of renewals. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Lease } from '../../src/fence/lease.js';
import { LeaseKeeper } from '../../src/fence/lease-keeper.js';
import { openProviderStore } from '../../src/store/provider-store.js';
import { withSession } from '../support/database.js';
import { uniqueName } from '../support/parts.js';
import { useDatabase } from '../support/use-database.js';
import { anyWorkspace, provider, row } from './rows.js';

const database = useDatabase();

/** The store of another process with a worker's login. */
function another() {
  const store = openProviderStore({ databaseUrl: database.resolverUrl });
  onTestFinished(() => store.close());
  return store;
}

function registration(workerId = uniqueName('worker')) {
  return { workerId, taskQueue: 'q', identity: 'agents', build: '0', leaseMs: 60_000, longestStepMs: 1_000 };
}

const find = async (workerId: string) =>
  (await database.manager.listWorkers()).find((worker) => worker.workerId === workerId);
const TAKEN = { type: 'SetupInvalid', message: expect.stringContaining('another process has registered') };

describe('another process with a worker’s login', () => {
  it('cannot deregister, renew or register a worker that has a lease, so no fence ends early [G16]', async () => {
    const [honest, other] = [another(), another()];
    const worker = registration();
    await honest.registerWorker(worker);
    await honest.renewLease(worker.workerId, 0, 1_000);
    const before = await find(worker.workerId);
    await other.deregisterWorker(worker.workerId);
    expect(await other.renewLease(worker.workerId, 1_000_000, 1_000)).toBeUndefined();
    await expect(other.registerWorker({ ...worker, leaseMs: 1 })).rejects.toMatchObject(TAKEN);
    expect({ ...(await find(worker.workerId)), silentMs: before?.silentMs }).toEqual(before);
    expect(await honest.renewLease(worker.workerId, 0, 1_000)).toBeDefined();
  });

  it('cannot take over a worker that was marked as vanished', async () => {
    const [honest, other] = [another(), another()];
    const worker = registration();
    await honest.registerWorker(worker);
    await honest.renewLease(worker.workerId, 0, 1_000);
    const seen = await find(worker.workerId);
    await database.manager.markVanished(seen ? [seen] : []);
    await expect(other.registerWorker(worker)).rejects.toMatchObject(TAKEN);
    await honest.registerWorker(worker);
    expect(await honest.renewLease(worker.workerId, 0, 1_000)).toBeDefined();
  });

  it('cannot record a use or an unreadable credential before it registers', async () => {
    const other = another();
    const identity = provider(anyWorkspace());
    await database.manager.putProvider(identity, row('a'));
    const unreadable = { provider: identity, version: 1, worker: 'forged' };
    await expect(other.recordUnreadable(unreadable)).rejects.toMatchObject({ type: 'StoreUnavailable' });
    await expect(other.recordUses([])).rejects.toMatchObject({ type: 'StoreUnavailable' });
    await other.registerWorker(registration());
    await other.recordUses([]);
  });
});

it('a registration whose answer was lost can be repeated, because it never gave a lease', async () => {
  const [lost, repeated] = [another(), another()];
  const worker = registration();
  await lost.registerWorker(worker);
  await repeated.registerWorker(worker);
  expect(await lost.renewLease(worker.workerId, 0, 1_000)).toBeUndefined();
  expect(await repeated.renewLease(worker.workerId, 0, 1_000)).toBeDefined();
});

it('a renewal whose answer was lost costs no lease', async () => {
  const store = another();
  const worker = registration();
  await store.registerWorker(worker);
  await store.renewLease(worker.workerId, 0, 1_000);
  await withSession(database.ownerUrl, async (session) => {
    await session.query('begin');
    await session.query('select from resolver_workers where worker_id = $1 for update', [worker.workerId]);
    // Postgres renews when the row is free again, and nobody listens for its answer.
    await expect(store.renewLease(worker.workerId, 0, 50)).rejects.toMatchObject({ type: 'StoreUnavailable' });
    await session.query('rollback');
  });
  expect(await store.renewLease(worker.workerId, 0, 5_000)).toBeDefined();
});

it('a copy of a running process gets no lease, says so, and does not end the original’s [G16]', async () => {
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  onTestFinished(() => void warnings.mockRestore());
  const worker = registration();
  const cache = { invalidate: () => {}, clear: () => {} };
  const original = another();
  const lease = new Lease(worker.leaseMs);
  const keeper = new LeaseKeeper({ store: original, worker, lease, cache });
  await keeper.start();
  onTestFinished(() => keeper.stop());
  // The copy of a virtual machine has the same token and the same count. The original has renewed since: one more call.
  await database.query('update resolver_workers set calls = calls + 1 where worker_id = $1', [worker.workerId]);
  const copyLease = new Lease(worker.leaseMs);
  const copy = new LeaseKeeper({ store: original, worker, lease: copyLease, cache });
  await expect(copy.renew()).rejects.toMatchObject(TAKEN);
  expect(copyLease.isHeld()).toBe(false);
  await copy.stop();
  expect(await find(worker.workerId)).toMatchObject({ state: 'live' });
  expect(warnings).toHaveBeenCalledWith(expect.stringContaining('Restart it'), 'ProviderLeaseWarning');
});

it('a credential that cannot be opened is recorded once per version, by however many processes', async () => {
  const identity = provider(anyWorkspace());
  await database.manager.putProvider(identity, row('a'));
  for (const store of [another(), another(), another()]) {
    await store.registerWorker(registration());
    for (const version of [1, 1, 2]) await store.recordUnreadable({ provider: identity, version, worker: 'agents' });
  }
  const events = await database.manager.audit.listEvents(identity);
  expect(events.filter(({ event }) => event === 'credential-unreadable')).toHaveLength(1);
});
