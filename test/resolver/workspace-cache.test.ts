/** What the cache answers and keeps, depending on its lease. The tests answer its loads by hand. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Lease } from '../../src/fence/lease.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';
import { WorkspaceCache } from '../../src/resolver/workspace-cache.js';
import { WorkspaceEntry } from '../../src/resolver/workspace-entry.js';
import { TestClock } from '../support/leases.js';

const LEASE_MS = 1_000;
const WORKSPACE = 'ws_acme';
const anything = () => true;

let clock: TestClock;
let lease: Lease;
let cache: WorkspaceCache;
/** Loads in progress, in the order in which they were sent. */
let loads: { answer(epoch: number): void; fail(error: Error): void }[];

beforeEach(() => {
  clock = new TestClock();
  lease = new Lease(LEASE_MS, clock);
  lease.extend(lease.now());
  loads = [];
  const load = () =>
    new Promise<WorkspaceEntry>((resolve, fail) => {
      loads.push({ answer: (epoch) => resolve(entryOf(epoch)), fail });
    });
  cache = new WorkspaceCache({ load, lease, maxProviders: 10 });
});

function entryOf(epoch: number): WorkspaceEntry {
  const sealer = { open: () => Promise.reject(new Error('nothing is opened here')) };
  return new WorkspaceEntry(
    WORKSPACE,
    { epoch, dataKeys: [], providers: [] },
    { sealer, types: ProviderTypes.builtIn },
    clock.nowMs,
  );
}

const read = async () => {
  const { entry, cache: outcome } = await cache.read(WORKSPACE, anything);
  return [outcome, entry.epoch];
};

async function filled(epoch: number): Promise<void> {
  const first = read();
  loads.at(-1)?.answer(epoch);
  await first;
}

describe('an entry', () => {
  it('answers under a lease, until the instant at which the lease ends', async () => {
    await filled(1);
    clock.nowMs = LEASE_MS - 1;
    expect(await read()).toEqual(['hit', 1]);
    clock.nowMs = LEASE_MS;
    expect(cache.peek(WORKSPACE)).toBeUndefined();
    void read();
    expect(loads).toHaveLength(2);
    expect(cache.counts.refusedByLease).toBe(1);
  });

  it('is kept while no lease is held, and answers under the next one', async () => {
    await filled(1);
    clock.nowMs = LEASE_MS;
    lease.extend(lease.now());
    expect(await read()).toEqual(['hit', 1]);
  });

  it.each([
    ['was invalidated', () => cache.invalidate([WORKSPACE], 2)],
    ['was cleared with all others', () => cache.clear()],
  ])('that %s is loaded again', async (_, take) => {
    await filled(1);
    take();
    expect(cache.peek(WORKSPACE)).toBeUndefined();
  });

  it('stays if another workspace is invalidated', async () => {
    await filled(1);
    cache.invalidate(['ws_globex'], 2);
    expect(await read()).toEqual(['hit', 1]);
  });

  it('stays if it was read after the change', async () => {
    await filled(2);
    cache.invalidate([WORKSPACE], 2);
    expect(await read()).toEqual(['hit', 2]);
    cache.invalidate([WORKSPACE], 3);
    expect(cache.peek(WORKSPACE)).toBeUndefined();
  });
});

describe('a load', () => {
  it('does not enter the cache if its snapshot is older than a change that was applied meanwhile', async () => {
    const early = read();
    cache.invalidate([WORKSPACE], 2);
    lease.apply(2);
    loads[0]?.answer(1);
    // Its caller asked before the change, and may have this answer.
    expect(await early).toEqual(['miss', 1]);
    expect(cache.peek(WORKSPACE)).toBeUndefined();
  });

  it('does not replace a newer one', async () => {
    const early = read();
    loads[0]?.fail(new Error('lost'));
    await expect(early).rejects.toThrow('lost');
    await filled(3);
    const refused = cache.read(WORKSPACE, () => false);
    loads[2]?.answer(2);
    expect((await refused).entry.epoch).toBe(2);
    expect(await read()).toEqual(['hit', 3]);
  });

  it('that fails does so for all callers that wait for it, and the next caller tries again', async () => {
    const failed = Promise.allSettled([read(), read()]);
    loads[0]?.fail(new Error('away'));
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await filled(1);
    expect(await read()).toEqual(['hit', 1]);
  });
});

describe('another caller’s load', () => {
  it('answers under a lease', async () => {
    const both = Promise.all([read(), read()]);
    loads[0]?.answer(1);
    expect(await both).toEqual([
      ['miss', 1],
      ['joined', 1],
    ]);
    expect(loads).toHaveLength(1);
  });

  it.each([
    ['the lease ended meanwhile', () => (clock.nowMs = LEASE_MS)],
    ['its snapshot is older than a change that was applied meanwhile', () => lease.apply(2)],
  ])('does not answer if %s: the caller makes its own load', async (_, meanwhile) => {
    const both = Promise.all([read(), read()]);
    meanwhile();
    loads[0]?.answer(1);
    await new Promise(setImmediate);
    expect(loads).toHaveLength(2);
    loads[1]?.answer(2);
    expect(await both).toEqual([
      ['miss', 1],
      ['miss', 2],
    ]);
  });

  it('answers even without a lease if it began after the call, so that a crowd causes two loads', async () => {
    const crowd = Promise.all(Array.from({ length: 100 }, read));
    lease.lose();
    loads[0]?.answer(1);
    await new Promise(setImmediate);
    expect(loads).toHaveLength(2);
    loads[1]?.answer(1);
    const outcomes = (await crowd).map(([outcome]) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'miss')).toHaveLength(2);
  });
});
