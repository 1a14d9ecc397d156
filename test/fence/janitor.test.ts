/** Which rows of workers a janitor removes, and which it keeps. */
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
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

it('a worker that is silent for a lease is marked as vanished, and is deleted once none of its steps can still run', async () => {
  await janitor.look();
  await lookAfter(outlasting(LEASE_MS) - 1);
  expect(registry.row('w')?.state).toBe('live');
  await lookAfter(1);
  expect(registry.row('w')?.state).toBe('vanished');
  // The time counts from when it was first seen as vanished.
  await lookAfter(1);
  await lookAfter(outlasting(LONGEST_STEP_MS) - 1);
  expect(registry.row('w')?.state).toBe('vanished');
  await lookAfter(1);
  expect(registry.row('w')).toBeUndefined();
});

it('a worker that renews stays live', async () => {
  for (let look = 0; look < 10; look += 1) {
    await lookAfter(LEASE_MS);
    await registry.renewLease('w', 0);
  }
  expect(registry.row('w')?.state).toBe('live');
});

it('a worker that is seen for the first time stays live, whatever the age of its row', async () => {
  registry.wallMs = 3_600_000;
  await lookAfter(3_600_000);
  expect(registry.row('w')?.state).toBe('live');
});

it('a worker that renews between the list and the mark stays live', async () => {
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

it('silence counts from the answer to the list, not from the request', async () => {
  const slow = { ...bound(registry), listWorkers: () => registry.listWorkers().finally(() => (clock.nowMs += 400)) };
  janitor = new Janitor(slow, clock);
  await janitor.look();
  await lookAfter(outlasting(LEASE_MS) - 401);
  expect(registry.row('w')?.state).toBe('live');
  await lookAfter(1);
  expect(registry.row('w')?.state).toBe('vanished');
});

it('a worker that vanished and registers again is live', async () => {
  await janitor.look();
  await lookAfter(outlasting(LEASE_MS));
  await register(registry, 'w');
  await lookAfter(outlasting(LONGEST_STEP_MS));
  expect(registry.row('w')?.state).toBe('live');
});

it('the janitor looks again and again until it is ended, also after a look that failed', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const look = vi.spyOn(janitor, 'look').mockRejectedValueOnce(new Error('Postgres is away')).mockResolvedValue();
  const end = janitor.start();
  await vi.advanceTimersByTimeAsync(60_000);
  const looks = look.mock.calls.length;
  expect(looks).toBeGreaterThanOrEqual(6);
  end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(look).toHaveBeenCalledTimes(looks);
});

function bound(of: FakeRegistry): WorkerRegistry {
  return {
    listWorkers: () => of.listWorkers(),
    markVanished: (workers) => of.markVanished(workers),
    forgetWorkers: (workers) => of.forgetWorkers(workers),
    readEpoch: () => of.readEpoch(),
  };
}
