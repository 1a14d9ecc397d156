/** Leases for tests of what stands on them. */
import { Lease } from '../../src/fence/lease.js';

/** Held for as long as any test runs. */
export function heldLease(): Lease {
  const lease = new Lease(24 * 3_600_000);
  lease.extend(lease.now());
  return lease;
}

/** One whose clocks a test moves. */
export class TestClock {
  nowMs = 0;
  readonly monotonicMs = () => this.nowMs;
  readonly wallMs = () => this.nowMs;
}
