/** Leases and clocks for tests. */
import { Lease } from '../../src/fence/lease.js';

/** A lease that is longer than any test. */
export function heldLease(): Lease {
  const lease = new Lease(24 * 3_600_000);
  lease.extend(lease.now());
  return lease;
}

/** A clock that a test moves. */
export class TestClock {
  nowMs = 0;
  readonly monotonicMs = () => this.nowMs;
  readonly wallMs = () => this.nowMs;
}
