/** How a worker gets, keeps and loses its lease. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Lease } from '../../src/fence/lease.js';
import { LeaseKeeper } from '../../src/fence/lease-keeper.js';
import { ProviderError } from '../../src/protocol/errors.js';
import type { LeaseStore, Renewal } from '../../src/store/ports.js';
import { FakeRegistry } from '../support/fake-registry.js';
import { TestClock } from '../support/leases.js';

const LEASE_MS = 3_000;
const WORKER = { workerId: 'w', taskQueue: 'q', identity: 'i', build: '0', leaseMs: LEASE_MS, longestStepMs: 0 };

let registry: FakeRegistry;
let clock: TestClock;
let lease: Lease;
let keeper: LeaseKeeper;
/** The calls to the store and to the cache, in order. */
let log: string[];
let isHolding: boolean;

beforeEach(() => {
  isHolding = false;
  vi.useFakeTimers();
  registry = new FakeRegistry();
  clock = new TestClock();
  lease = new Lease(LEASE_MS, clock);
  log = [];
  keeper = keeperOver(logging(registry));
});
afterEach(async () => {
  await keeper.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

function logging(store: LeaseStore): LeaseStore {
  return {
    registerWorker: (worker) => {
      log.push('register');
      return store.registerWorker(worker);
    },
    renewLease: (workerId, appliedEpoch, timeoutMs) => {
      log.push(`renew ${appliedEpoch}`);
      return store.renewLease(workerId, appliedEpoch, timeoutMs);
    },
    deregisterWorker: (workerId) => store.deregisterWorker(workerId),
  };
}

function keeperOver(store: LeaseStore): LeaseKeeper {
  const held = () => (lease.isHeld() ? ', leased' : '');
  const cache = {
    invalidate: (workspaceIds: readonly string[]) => void log.push(`drop [${workspaceIds.join()}]${held()}`),
    clear: () => void log.push(`empty${held()}`),
  };
  return new LeaseKeeper({ store, worker: WORKER, lease, cache, isHolding: () => isHolding });
}

/** Moves the clock, and fires timers. */
async function pass(ms: number): Promise<void> {
  clock.nowMs += ms;
  await vi.advanceTimersByTimeAsync(ms);
}

it('a keeper registers, empties the cache, and only then requests a lease', async () => {
  await keeper.start();
  expect(log).toEqual(['register', 'empty', 'renew 0', 'drop []']);
  expect(lease.isHeld()).toBe(true);
});

it('a keeper starts no timer if it cannot register', async () => {
  registry.isAway = true;
  await expect(keeper.start()).rejects.toMatchObject({ type: 'StoreUnavailable' });
  expect(vi.getTimerCount()).toBe(0);
  expect(keeper.counts).toEqual({ renewals: 0, failures: 1, losses: 0 });
});

it('a keeper reports whether Postgres answered each renewal', async () => {
  const outcomes: boolean[] = [];
  const cache = { invalidate: () => {}, clear: () => {} };
  const onRenewal = (succeeded: boolean) => outcomes.push(succeeded);
  keeper = new LeaseKeeper({ store: registry, worker: WORKER, lease, cache, onRenewal });
  await keeper.start();
  registry.isAway = true;
  await pass(LEASE_MS / 3);
  registry.isAway = false;
  await pass(250);
  expect(outcomes).toEqual([true, false, true]);
});

it('a renewal may take half a lease if one is held, and as long as it takes to connect if none is', async () => {
  const timeouts: number[] = [];
  lease = new Lease(100, clock);
  keeper = keeperOver({
    ...logging(registry),
    renewLease: (workerId, appliedEpoch, timeoutMs) => {
      timeouts.push(timeoutMs);
      return registry.renewLease(workerId, appliedEpoch);
    },
  });
  await keeper.start();
  await keeper.renew();
  expect(timeouts).toEqual([5_000, 50]);
});

it('a keeper renews at every third of a lease, so that it always holds one', async () => {
  await keeper.start();
  for (let third = 0; third < 9; third += 1) {
    await pass(LEASE_MS / 3);
    expect(lease.isHeld()).toBe(true);
  }
  expect(keeper.counts.renewals).toBe(10);
});

it('a keeper drops changed workspaces from the cache before it extends the lease, and reports it to the database', async () => {
  await keeper.start();
  log = [];
  clock.nowMs += LEASE_MS;
  registry.change('ws_acme', 'ws_globex');
  await keeper.renew();
  expect(log).toEqual(['renew 0', 'drop [ws_acme,ws_globex]', 'renew 1', 'drop [], leased']);
  expect(registry.row('w')?.appliedEpoch).toBe(1);
});

it('a keeper empties the cache if too many workspaces changed to list', async () => {
  await keeper.start();
  log = [];
  registry.change('*');
  await keeper.renew();
  expect(log).toContain('empty, leased');
});

it('a keeper whose row is gone registers again, with an empty cache and without a lease until it has renewed', async () => {
  await keeper.start();
  const row = registry.row('w');
  await registry.markVanished(row ? [row] : []);
  log = [];
  await keeper.renew();
  expect(log).toEqual(['renew 0', 'register', 'empty', 'renew 0', 'drop []']);
  expect(keeper.counts).toMatchObject({ losses: 1, failures: 0 });
  expect(registry.row('w')?.state).toBe('live');
});

it.each([
  ['removes its row', false, undefined],
  ['leaves its row if its process still holds a credential', true, 'live'],
])('a keeper that stops %s [G16]', async (_what, holds, state) => {
  await keeper.start();
  isHolding = holds;
  await keeper.stop();
  expect(lease.isHeld()).toBe(false);
  expect(registry.row('w')?.state).toBe(state);
});

it('a keeper whose worker id another process has registered holds no lease, warns once, and leaves the row alone', async () => {
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  await keeper.start();
  const taken = new ProviderError('SetupInvalid', 'another process has registered');
  const deregister = vi.fn();
  const copy = keeperOver({
    registerWorker: () => Promise.reject(taken),
    renewLease: async () => undefined,
    deregisterWorker: deregister,
  });
  await expect(copy.renew()).rejects.toBe(taken);
  await expect(copy.renew()).rejects.toBe(taken);
  expect(lease.isHeld()).toBe(false);
  expect(warnings.mock.calls).toEqual([['another process has registered', 'ProviderLeaseWarning']]);
  await copy.stop();
  expect(deregister).not.toHaveBeenCalled();
  warnings.mockRestore();
});

it('a keeper whose database went back starts anew in its lineage, and says so once', async () => {
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  registry.change('ws_acme');
  await keeper.start();
  expect(lease.appliedEpoch).toBe(1);
  registry.goBack(0, LEASE_MS);
  log = [];
  await keeper.renew();
  expect(log).toEqual(['renew 1', 'register', 'empty', 'renew 0', 'drop []']);
  expect([lease.isHeld(), lease.appliedEpoch]).toEqual([true, 0]);
  expect(warnings.mock.calls).toEqual([[expect.stringContaining('after-restore'), 'ProviderLeaseWarning']]);
  warnings.mockRestore();
});

it('a keeper gives its lease and its cache up while the database cannot prove what is current, and says so once', async () => {
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const unguarded = new ProviderError('StoreUnavailable', 'triggers are not in force', { isUnguarded: true });
  let isUnguarded = false;
  const store = logging(registry);
  keeper = keeperOver({
    ...store,
    renewLease: (...renewal) => (isUnguarded ? Promise.reject(unguarded) : store.renewLease(...renewal)),
  });
  await keeper.start();
  isUnguarded = true;
  for (let count = 0; count < 2; count += 1) await expect(keeper.renew()).rejects.toBe(unguarded);
  expect(lease.isHeld()).toBe(false);
  expect(log.at(-1)).toBe('empty');
  expect(warnings.mock.calls).toEqual([['triggers are not in force', 'ProviderLeaseWarning']]);
  isUnguarded = false;
  await keeper.renew();
  expect(lease.isHeld()).toBe(true);
  warnings.mockRestore();
});

it('a keeper holds its lease until it expires while Postgres is unavailable, and regains it soon after', async () => {
  await keeper.start();
  registry.isAway = true;
  await pass(LEASE_MS / 3);
  expect(lease.isHeld()).toBe(true);
  await pass(LEASE_MS);
  expect(lease.isHeld()).toBe(false);
  registry.isAway = false;
  await pass(250);
  expect(lease.isHeld()).toBe(true);
  expect(keeper.counts.failures).toBeGreaterThan(1);
});

it('a keeper shares one renewal between all requests during a running one, and sends it after they asked', async () => {
  const answers: (() => void)[] = [];
  const held: LeaseStore = {
    ...logging(registry),
    renewLease: (workerId, applied) =>
      new Promise<Renewal | undefined>((resolve) => {
        log.push(`renew ${applied}`);
        const answer = registry.renewLease(workerId, applied);
        answers.push(() => resolve(answer));
      }),
  };
  keeper = keeperOver(held);
  const first = keeper.renew();
  await vi.waitUntil(() => answers.length === 1);
  registry.change('ws_acme');
  const asked = Promise.all([keeper.renew(), keeper.renew(), keeper.renew()]);
  answers[0]?.();
  await first;
  expect(lease.appliedEpoch).toBe(0);
  await vi.waitUntil(() => answers.length === 2);
  answers[1]?.();
  await vi.waitUntil(() => answers.length === 3);
  answers[2]?.();
  await asked;
  expect(lease.appliedEpoch).toBe(1);
  expect(log.filter((line) => line.startsWith('renew'))).toEqual(['renew 0', 'renew 0', 'renew 1']);
});

it('a keeper renews when it is nudged, and retries soon after a failure', async () => {
  await keeper.start();
  registry.change('ws_acme');
  registry.isAway = true;
  keeper.nudge();
  await pass(0);
  expect(lease.appliedEpoch).toBe(0);
  registry.isAway = false;
  await pass(250);
  expect(lease.appliedEpoch).toBe(1);
});

it('a stopped keeper has no lease, no cache entry, no row and no timer', async () => {
  await keeper.start();
  log = [];
  await keeper.stop();
  await keeper.stop();
  keeper.nudge();
  await pass(LEASE_MS);
  expect(log).toEqual(['empty']);
  expect(lease.isHeld()).toBe(false);
  expect(registry.row('w')).toBeUndefined();
});

it('a stopped keeper ignores the answer to an earlier renewal', async () => {
  let answer = (_: Renewal | undefined) => {};
  keeper = keeperOver({ ...logging(registry), renewLease: () => new Promise((resolve) => (answer = resolve)) });
  const renewing = keeper.renew();
  await vi.waitUntil(() => registry.row('w'));
  const stopped = keeper.stop();
  await vi.waitUntil(() => log.includes('empty'));
  answer({ epoch: 5, changed: [] });
  await Promise.all([renewing, stopped]);
  expect([lease.isHeld(), lease.appliedEpoch]).toEqual([false, 0]);
});
