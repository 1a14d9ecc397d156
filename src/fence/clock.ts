/**
 * The two clocks of a lease. Nobody can set the monotonic clock, but it stops while a machine is suspended. The wall
 * clock does not stop, but can be set. A lease ends as soon as its time is up by one of them.
 */
export interface Clock {
  /** In milliseconds, from any start. */
  monotonicMs(): number;
  /** In milliseconds, from any start. */
  wallMs(): number;
}

const { hrtime } = process;

/** `hrtime` is the same clock as `performance.now`, and every warm read reads it: it takes two thirds of the time. */
function monotonicMs(): number {
  const [seconds, nanoseconds] = hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}

export const systemClock: Clock = {
  monotonicMs,
  wallMs: () => Date.now(),
};

/**
 * Returns a wait, in milliseconds, that is certain to outlast a lease which began before the wait. The clocks of two
 * machines may run at rates that differ by 1 %, and a timer may fire a little early.
 */
export function outlasting(leaseMs: number): number {
  return leaseMs * 1.01 + 20;
}
