import { Lease } from '../dist/fence/lease.js';

/** A lease that lasts as long as a benchmark. */
export function heldLease() {
  const lease = new Lease(24 * 3_600_000);
  lease.extend(lease.now());
  return lease;
}
