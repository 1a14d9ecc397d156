/**
 * Counts, for each of several workers in this process, the faults that it reported and the renewals that were answered.
 * A warning of the process does not say which worker it comes from; the context of its timers does.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** A worker that was answered more often since a fault began must have reported the fault. */
const REPORT_WITHIN_RENEWALS = 2;
/** One more may have been sent before the fault began. */
const SENT_BEFORE = 1;
const PATIENCE_MS = 20_000;

interface Watched {
  reports: number;
  answered: number;
}

export class WatchedWorkers {
  readonly #workers: readonly Watched[];
  readonly #running = new AsyncLocalStorage<Watched>();

  constructor(count: number) {
    this.#workers = Array.from({ length: count }, () => ({ reports: 0, answered: 0 }));
    process.on('warning', this.#hear);
  }

  /** Runs what starts each worker. The argument is to be called after each of its renewals. */
  async start(start: (onRenewal: (succeeded: boolean) => void) => Promise<void>): Promise<void> {
    for (const worker of this.#workers) {
      const onRenewal = (succeeded: boolean) => {
        if (succeeded) worker.answered += 1;
      };
      await this.#running.run(worker, () => start(onRenewal));
    }
  }

  /** Call it before a fault begins, and the result when it has begun. */
  beforeFault(): () => Promise<number> {
    const reports = this.#workers.map((worker) => worker.reports);
    return () => this.#reported(reports);
  }

  /** @returns whether every worker has renewed since this call. A worker reports the same fault again only after that. */
  whenAllRenewed(): () => boolean {
    const before = this.#workers.map(({ answered }) => answered);
    return () => this.#workers.every(({ answered }, index) => answered > before[index]! + SENT_BEFORE);
  }

  end(): void {
    process.off('warning', this.#hear);
  }

  /**
   * Waits until every worker has reported, counted in renewals: time proves nothing on a busy machine.
   *
   * @returns how long it took, in milliseconds
   * @throws if a worker did not report
   */
  async #reported(before: readonly number[]): Promise<number> {
    const sinceMs = performance.now();
    const limits = this.#workers.map(({ answered }) => answered + SENT_BEFORE + REPORT_WITHIN_RENEWALS);
    for (; ; await delay(5)) {
      const silent = this.#workers.filter(({ reports }, index) => reports === before[index]);
      if (silent.length === 0) return performance.now() - sinceMs;
      const isLate = this.#workers.some((worker, index) => silent.includes(worker) && worker.answered > limits[index]!);
      if (isLate || performance.now() - sinceMs > PATIENCE_MS) {
        throw new Error(`${silent.length} of ${this.#workers.length} workers did not report it within two renewals`);
      }
    }
  }

  readonly #hear = ({ name }: Error): void => {
    const worker = this.#running.getStore();
    if (worker && name === 'ProviderLeaseWarning') worker.reports += 1;
  };
}
