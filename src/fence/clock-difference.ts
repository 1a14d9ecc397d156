/**
 * Compares the clock of this machine with that of Postgres at each renewal. The lease does not depend on it, but grants
 * do: a worker whose clock is behind takes a grant that was just signed for one of the future.
 */

/** Half of what the check of a grant tolerates: the clock of the signer may be off too. */
const WARN_MS = 30_000;
const REPEAT_MS = 60 * 60_000;

export interface ClockReading {
  /** The wall clock of this machine before and after the renewal, in milliseconds since 1970. */
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
  /** The clock of Postgres in between. */
  readonly databaseMs: number;
}

export class ClockDifference {
  #warned: { readonly differenceMs: number; readonly atMs: number } | undefined;

  /** @param warn - called if the clocks differ by more than half a minute, at most once per hour and difference */
  constructor(private readonly warn: (text: string) => void) {}

  readonly observe = ({ sentAtMs, receivedAtMs, databaseMs }: ClockReading): void => {
    // Between sending and receiving, Postgres may have read its clock at any time.
    const differenceMs = Math.max(sentAtMs - databaseMs, 0) || Math.min(receivedAtMs - databaseMs, 0);
    if (Math.abs(differenceMs) <= WARN_MS) {
      this.#warned = undefined;
      return;
    }
    const isKnown = this.#warned && Math.abs(this.#warned.differenceMs - differenceMs) <= WARN_MS;
    if (isKnown && performance.now() - (this.#warned?.atMs ?? 0) < REPEAT_MS) return;
    this.#warned = { differenceMs, atMs: performance.now() };
    const seconds = Math.round(Math.abs(differenceMs) / 1_000);
    const consequence =
      differenceMs < 0
        ? 'grants that were just signed seem to be of the future, and are refused for that time'
        : 'its logs have other times than the database';
    this.warn(
      `the clock of this machine is ${seconds} s ${differenceMs < 0 ? 'behind' : 'ahead of'} the clock of Postgres: ` +
        `${consequence}; synchronize both clocks`,
    );
  };
}
