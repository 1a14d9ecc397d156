/** Whose rows a janitor takes away, and whose it leaves. */
import { beforeEach, expect, it } from 'vitest';
import { outlasting } from '../../src/fence/clock.js';
import { Janitor } from '../../src/fence/janitor.js';
import type { WorkerRegistry } from '../../src/store/ports.js';
import { FakeRegistry } from '../support/fake-registry.js';
import { TestClock } from '../support/leases.js';
import { LEASE_MS, LONGEST_STEP_MS, register } from './workers.js';

let registry: FakeRegistry;
let clock: TestClock;
let janitor: Janitor;

beforeEach(async () => {
  registry = new FakeRegistry();
  clock = new TestClock();
  janitor = new Janitor(registry, clock);
  await register(registry, 'w');
});

async function lookAfter(ms: number): Promise<void> {
  clock.nowMs += ms;
  await janitor.look();
}

it('a worker that was silent for a lease vanishes, and is forgotten once no step of it can still run', async () => {
  await janitor.look();
  await lookAfter(outlasting(LEASE_MS) - 1);
  expect(registry.row('w')?.state).toBe('live');
  await lookAfter(1);
  expect(registry.row('w')?.state).toBe('vanished');
  // Counted from when it was first seen as vanished.
  await lookAfter(1);
  await lookAfter(outlasting(LONGEST_STEP_MS) - 1);
  expect(registry.row('w')?.state).toBe('vanished');
  await lookAfter(1);
  expect(registry.row('w')).toBeUndefined();
});

it('a worker that renews stays, however long it is watched', async () => {
  for (let look = 0; look < 10; look += 1) {
    await lookAfter(LEASE_MS);
    await registry.renewLease('w', 0);
  }
  expect(registry.row('w')?.state).toBe('live');
});

it('what a row says of its age counts for nothing: one seen for the first time is never old', async () => {
  registry.wallMs = 3_600_000;
  await lookAfter(3_600_000);
  expect(registry.row('w')?.state).toBe('live');
});

it('a renewal between the list and the mark saves the worker', async () => {
  const renewingMeanwhile: WorkerRegistry = {
    ...bound(registry),
    async markVanished(workers) {
      await registry.renewLease('w', 0);
      return registry.markVanished(workers);
    },
  };
  janitor = new Janitor(renewingMeanwhile, clock);
  await janitor.look();
  await lookAfter(outlasting(LEASE_MS));
  expect(registry.row('w')?.state).toBe('live');
});

it('silence counts from when the list was answered, not from when it was asked', async () => {
  const slow = { ...bound(registry), listWorkers: () => registry.listWorkers().finally(() => (clock.nowMs += 400)) };
  janitor = new Janitor(slow, clock);
  await janitor.look();
  await lookAfter(outlasting(LEASE_MS) - 401);
  expect(registry.row('w')?.state).toBe('live');
  await lookAfter(1);
  expect(registry.row('w')?.state).toBe('vanished');
});

it('one that vanished and came back begins anew', async () => {
  await janitor.look();
  await lookAfter(outlasting(LEASE_MS));
  await register(registry, 'w');
  await lookAfter(outlasting(LONGEST_STEP_MS));
  expect(registry.row('w')?.state).toBe('live');
});

it('it says how many rows there are, and fails as the store does', async () => {
  await register(registry, 'x');
  expect(await janitor.look()).toBe(2);
  registry.isAway = true;
  await expect(janitor.look()).rejects.toMatchObject({ type: 'StoreUnavailable' });
});

function bound(of: FakeRegistry): WorkerRegistry {
  return {
    listWorkers: () => of.listWorkers(),
    markVanished: (workers) => of.markVanished(workers),
    forgetWorkers: (workers) => of.forgetWorkers(workers),
    readEpoch: () => of.readEpoch(),
  };
}
