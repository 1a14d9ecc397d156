/**
 * While renewals fail, Postgres is away or hangs. Then a load fails after a second, so that its caller can be retried
 * and its slot is free, in place of waiting for the time limit of a statement. That includes loads that were sent
 * before, and whoever waits for them.
 */

const LIMIT_MS = 1_000;

export class LoadLimit {
  #isInForce = false;
  readonly #limits = new Set<() => void>();

  /** @param succeeded - whether Postgres answered the last renewal */
  readonly onRenewal = (succeeded: boolean): void => {
    this.#isInForce = !succeeded;
    if (this.#isInForce) for (const limit of this.#limits) limit();
  };

  /** @param load - must fail when its signal is aborted */
  async run<Result>(load: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const controller = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const limit = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        if (this.#isInForce) controller.abort();
      }, LIMIT_MS).unref();
    };
    this.#limits.add(limit);
    if (this.#isInForce) limit();
    try {
      return await load(controller.signal);
    } finally {
      this.#limits.delete(limit);
      clearTimeout(timer);
    }
  }
}
