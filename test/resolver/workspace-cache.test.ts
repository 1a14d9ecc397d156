/** What the cache answers, and what it keeps, as far as its lease decides it. Loads are held, and let go by hand. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Lease } from '../../src/fence/lease.js';
import { WorkspaceCache } from '../../src/resolver/workspace-cache.js';
import { WorkspaceEntry } from '../../src/resolver/workspace-entry.js';
import { TestClock } from '../support/leases.js';

const LEASE_MS = 1_000;
const WORKSPACE = 'ws_acme';
const anything = () => true;

let clock: TestClock;
let lease: Lease;
let cache: WorkspaceCache;
/** Loads under way, in the order in which they were sent. */
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
  return new WorkspaceEntry(WORKSPACE, { epoch, dataKeys: [], providers: [] }, { sealer }, clock.nowMs);
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
  it('answers under a lease, and at the instant that the lease ends no more', async () => {
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

  it('stays where another workspace is invalidated', async () => {
    await filled(1);
    cache.invalidate(['ws_globex'], 2);
    expect(await read()).toEqual(['hit', 1]);
  });

  it('stays where it was read since the change', async () => {
    await filled(2);
    cache.invalidate([WORKSPACE], 2);
    expect(await read()).toEqual(['hit', 2]);
    cache.invalidate([WORKSPACE], 3);
    expect(cache.peek(WORKSPACE)).toBeUndefined();
  });
});

describe('a load', () => {
  it('does not enter the cache where its snapshot is older than what was applied meanwhile', async () => {
    const early = read();
    cache.invalidate([WORKSPACE], 2);
    lease.apply(2);
    loads[0]?.answer(1);
    // Its own caller asked before that, and may have it.
    expect(await early).toEqual(['miss', 1]);
    expect(cache.peek(WORKSPACE)).toBeUndefined();
  });

  it('does not take the place of a newer one', async () => {
    const early = read();
    loads[0]?.fail(new Error('lost'));
    await expect(early).rejects.toThrow('lost');
    await filled(3);
    const refused = cache.read(WORKSPACE, () => false);
    loads[2]?.answer(2);
    expect((await refused).entry.epoch).toBe(2);
    expect(await read()).toEqual(['hit', 3]);
  });

  it('that fails fails for all who wait for it, and is tried again by the next', async () => {
    const failed = Promise.allSettled([read(), read()]);
    loads[0]?.fail(new Error('away'));
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await filled(1);
    expect(await read()).toEqual(['hit', 1]);
  });
});

describe('somebody else’s load', () => {
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
    ['the lease ran out meanwhile', () => (clock.nowMs = LEASE_MS)],
    ['what it read is older than what was applied meanwhile', () => lease.apply(2)],
  ])('does not answer where %s: the caller loads for itself', async (_, meanwhile) => {
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

  it('that began after the call answers it whatever the lease says, so that a crowd makes two loads', async () => {
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
