/** Which workers a fence waits for, how long, and what it reports. */
import { beforeEach, expect, it } from 'vitest';
import { outlasting } from '../../src/fence/clock.js';
import { awaitFence, type FenceOptions } from '../../src/fence/fence.js';
import { FakeRegistry } from '../support/fake-registry.js';
import { TestClock } from '../support/leases.js';
import { LEASE_MS, register } from './workers.js';

const FIRST = { epoch: 1, lineage: 'first' };

let registry: FakeRegistry;
let clock: TestClock;

beforeEach(() => {
  registry = new FakeRegistry();
  clock = new TestClock();
});

/** Runs a fence on the test's clock. `meanwhile` runs each time that the fence sleeps. */
function fence(options: Partial<FenceOptions> = {}, meanwhile: () => Promise<unknown> = async () => {}) {
  const sleep = async (ms: number) => {
    clock.nowMs += ms;
    await meanwhile();
  };
  return awaitFence({ registry, clock, sleep, ...options });
}

const outcomes = (report: Awaited<ReturnType<typeof fence>>) =>
  Object.fromEntries(report.workers.map(({ workerId, outcome }) => [workerId, outcome]));

it('a fence without workers returns at once', async () => {
  registry.change('ws_acme');
  expect(await fence()).toEqual({ epoch: 1, complete: true, tookMs: 0, workers: [] });
});

it('a fence returns as soon as each worker has applied the change [G16]', async () => {
  await register(registry, 'a', 'b');
  registry.change('ws_acme');
  let sleeps = 0;
  const report = await fence({}, async () => {
    sleeps += 1;
    if (sleeps === 1) await registry.renewLease('a', 1);
    if (sleeps === 3) await registry.renewLease('b', 1);
  });
  expect(sleeps).toBe(3);
  expect(report).toMatchObject({
    epoch: 1,
    tookMs: 3 + 6 + 12,
    workers: [
      { workerId: 'a', identity: 'i-a', taskQueue: 'queue-a', outcome: 'applied', afterMs: 3 },
      { workerId: 'b', outcome: 'applied', afterMs: 21 },
    ],
  });
});

it('a fence waits for a worker that has applied only an earlier change', async () => {
  await register(registry, 'a');
  registry.change('ws_acme');
  await registry.renewLease('a', 1);
  registry.change('ws_acme');
  expect(outcomes(await fence())).toEqual({ a: 'waited-out' });
  expect(clock.nowMs).toBeGreaterThanOrEqual(outlasting(LEASE_MS));
});

it('a fence waits out the lease of a silent worker, and the next fence does not wait for it [G16]', async () => {
  await register(registry, 'a');
  registry.change('ws_acme');
  expect((await fence()).tookMs).toBeGreaterThanOrEqual(outlasting(LEASE_MS));
  expect(registry.row('a')?.state).toBe('vanished');
  expect(await fence()).toEqual({ epoch: 1, complete: true, tookMs: 0, workers: [] });
});

it('a fence waits even for a worker that has been silent for long', async () => {
  await register(registry, 'a');
  registry.wallMs = 3_600_000;
  expect(outcomes(await fence({ change: FIRST }))).toEqual({ a: 'waited-out' });
});

it('a fence waits out a worker that renews without the change, and keeps its row', async () => {
  await register(registry, 'a');
  registry.change('ws_acme');
  const report = await fence({}, () => registry.renewLease('a', 0));
  expect(outcomes(report)).toEqual({ a: 'waited-out' });
  expect(registry.row('a')?.state).toBe('live');
});

it('a worker that renews just before the fence marks it stays live', async () => {
  await register(registry, 'a');
  registry.change('ws_acme');
  const mark = registry.markVanished.bind(registry);
  registry.markVanished = async (workers) => {
    await registry.renewLease('a', 0);
    return mark(workers);
  };
  await fence();
  expect(registry.row('a')?.state).toBe('live');
});

it('a fence counts the lease of a listed worker from the answer to the list', async () => {
  await register(registry, 'a');
  registry.change('ws_acme');
  const list = registry.listWorkers.bind(registry);
  registry.listWorkers = async () => {
    // Slow once: the worker renews in the meantime, and holds its whole lease from here.
    registry.listWorkers = list;
    clock.nowMs += 10 * LEASE_MS;
    await registry.renewLease('a', 0);
    return list();
  };
  const before = clock.nowMs + 10 * LEASE_MS;
  await fence();
  expect(clock.nowMs - before).toBeGreaterThanOrEqual(outlasting(LEASE_MS));
});

it.each([
  ['deregistered', 'gone', () => registry.deregisterWorker('a')],
  [
    'was marked by a janitor',
    'waited-out',
    async () => registry.markVanished([registry.row('a') ?? { workerId: '', renewal: '' }]),
  ],
])('a fence does not wait for a worker that %s, and reports it as %s', async (_, outcome, go) => {
  await register(registry, 'a');
  registry.change('ws_acme');
  const report = await fence({}, go);
  expect(outcomes(report)).toEqual({ a: outcome });
  expect(report.tookMs).toBe(3);
});

it('a fence does not wait for a worker that registers after the list, because its first lease includes the change', async () => {
  await register(registry, 'a');
  registry.change('ws_acme');
  const report = await fence({}, async () => {
    await register(registry, 'late');
    await registry.renewLease('a', 1);
  });
  expect(outcomes(report)).toEqual({ a: 'applied' });
});

it('a fence reports progress per worker', async () => {
  await register(registry, 'a', 'b');
  registry.change('ws_acme');
  const progress: object[] = [];
  const next = ['a', 'b'];
  await fence({ onProgress: (report) => progress.push(outcomes(report)) }, async () => {
    await registry.renewLease(next.shift() ?? '', 1);
  });
  expect(progress).toEqual([
    { a: 'waiting', b: 'waiting' },
    { a: 'applied', b: 'waiting' },
    { a: 'applied', b: 'applied' },
  ]);
});

it('a fence fails if the database went back during the wait, because the change may be lost', async () => {
  await register(registry, 'a');
  const failed = fence({ change: FIRST }, async () => {
    registry.goBack(0, LEASE_MS);
  });
  await expect(failed).rejects.toMatchObject({
    type: 'StoreUnavailable',
    message: expect.stringContaining('look whether the change is still there'),
  });
});

it('a fence waits for the leases of workers that the database does not know', async () => {
  registry.goBack(0, LEASE_MS);
  const report = await fence();
  expect(report.workers).toMatchObject([{ outcome: 'waited-out' }]);
  expect(clock.nowMs).toBeGreaterThanOrEqual(outlasting(LEASE_MS));
  expect((await fence()).workers).toEqual([]);
});

it('a fence fails if the store fails', async () => {
  await register(registry, 'a');
  const failed = fence({ change: FIRST }, async () => {
    registry.isAway = true;
  });
  await expect(failed).rejects.toMatchObject({ type: 'StoreUnavailable' });
});

it('a fence ends when its signal is aborted while it sleeps', async () => {
  await register(registry, 'a');
  const ending = new AbortController();
  const fenced = awaitFence({ registry, change: FIRST, signal: ending.signal });
  ending.abort();
  await expect(fenced).rejects.toMatchObject({ name: 'AbortError' });
  expect(registry.row('a')?.state).toBe('live');
});
