/**
 * The two clocks of a lease. The monotonic one decides: nobody can set it. It stops while a machine is suspended, which
 * the wall clock does not, so whichever says first that time is up is believed.
 */
export interface Clock {
  /** In milliseconds, from any start. */
  monotonicMs(): number;
  /** In milliseconds, from any start. */
  wallMs(): number;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};

/**
 * The wait that is sure to outlast a lease which began before it: clocks of two machines may run at rates that differ
 * by 1 %, and a timer may fire a little early.
 */
export function outlasting(leaseMs: number): number {
  return leaseMs * 1.01 + 20;
}
