/** The rules of a lease, one by one. */
import { describe, expect, it } from 'vitest';
import { outlasting } from '../../src/fence/clock.js';
import { Lease } from '../../src/fence/lease.js';

const LEASE_MS = 1_000;

function leaseWithClocks() {
  const clock = { monotonic: 50, wall: 9_000 };
  const lease = new Lease(LEASE_MS, { monotonicMs: () => clock.monotonic, wallMs: () => clock.wall });
  const pass = (ms: number) => {
    clock.monotonic += ms;
    clock.wall += ms;
  };
  return { clock, lease, pass };
}

describe('a lease', () => {
  it('is not held before it is granted', () => {
    expect(leaseWithClocks().lease.isHeld()).toBe(false);
  });

  it('starts when the renewal is sent, however late the answer is', () => {
    const { lease, pass } = leaseWithClocks();
    const sentAt = lease.now();
    pass(400);
    lease.extend(sentAt);
    pass(599);
    expect(lease.isHeld()).toBe(true);
    pass(1);
    expect(lease.isHeld()).toBe(false);
  });

  it('is not granted by an answer that arrives after a whole lease', () => {
    const { lease, pass } = leaseWithClocks();
    const sentAt = lease.now();
    pass(LEASE_MS);
    lease.extend(sentAt);
    expect(lease.isHeld()).toBe(false);
  });

  it.each([
    ['the monotonic clock, if the wall clock was set back', { monotonic: LEASE_MS, wall: -3_600_000 }],
    ['the wall clock, if the machine was suspended and the monotonic clock stopped', { monotonic: 0, wall: LEASE_MS }],
  ])('expires by %s', (_, { monotonic, wall }) => {
    const { clock, lease } = leaseWithClocks();
    lease.extend(lease.now());
    clock.monotonic += monotonic;
    clock.wall += wall;
    expect(lease.isHeld()).toBe(false);
  });

  it('is regained by the next renewal after the wall clock was set forward', () => {
    const { clock, lease } = leaseWithClocks();
    lease.extend(lease.now());
    clock.wall += 3_600_000;
    expect(lease.isHeld()).toBe(false);
    lease.extend(lease.now());
    expect(lease.isHeld()).toBe(true);
  });

  it('is not shortened by the answer to an earlier renewal', () => {
    const { lease, pass } = leaseWithClocks();
    const early = lease.now();
    pass(500);
    lease.extend(lease.now());
    lease.extend(early);
    expect(lease.isHeld()).toBe(true);
  });

  it('is not held after it is lost', () => {
    const { lease } = leaseWithClocks();
    lease.extend(lease.now());
    lease.lose();
    expect(lease.isHeld()).toBe(false);
  });
});

describe('a loaded workspace', () => {
  it('enters the cache unless its snapshot is older than the applied epoch', () => {
    const { lease } = leaseWithClocks();
    lease.apply(7);
    expect([6, 7, 8].map((epoch) => lease.admits({ epoch }))).toEqual([false, true, true]);
  });

  it('is returned to joined reads only under a lease, and unless its snapshot is older', () => {
    const { lease } = leaseWithClocks();
    lease.apply(7);
    expect(lease.vouchesFor({ epoch: 7 })).toBe(false);
    lease.extend(lease.now());
    expect([6, 7].map((epoch) => lease.vouchesFor({ epoch }))).toEqual([false, true]);
  });

  it('is compared with the newest epoch that was ever applied', () => {
    const { lease } = leaseWithClocks();
    lease.apply(7);
    lease.apply(3);
    lease.lose();
    expect(lease.appliedEpoch).toBe(7);
  });

  it('enters the cache only if it is of the lineage in which the worker registered, whatever its epoch', () => {
    const { lease } = leaseWithClocks();
    lease.begin('first');
    lease.apply(7);
    lease.extend(lease.now());
    lease.begin('second');
    expect(lease.isHeld()).toBe(false);
    expect(lease.admits({ epoch: 9, lineage: 'first' })).toBe(false);
    expect(lease.admits({ epoch: 9 })).toBe(false);
    // The second lineage counts from an earlier epoch.
    expect(lease.admits({ epoch: 3, lineage: 'second' })).toBe(true);
  });
});

it('a wait outlasts a lease even on a clock that is one percent slower', () => {
  for (const leaseMs of [1, 1_000, 30_000, 86_400_000]) expect(outlasting(leaseMs) * 0.9902).toBeGreaterThan(leaseMs);
});
