/**
 * Keeps a worker's lease: registers, renews every third of a lease and whenever it hears of a change, and takes what
 * changed out of the cache before the lease is extended. While Postgres is away the lease runs out, and the cache
 * answers nothing until it is back.
 */
import type { LeaseStore, WorkerRegistration } from '../store/ports.js';
import type { Lease } from './lease.js';

/** What a keeper takes changes out of. */
export interface LeasedCache {
  /** @param epoch - what was read at this one or later has the changes already, and may stay */
  invalidate(workspaceIds: readonly string[], epoch: number): void;
  clear(): void;
}

export interface LeaseKeeperOptions {
  readonly store: LeaseStore;
  readonly worker: WorkerRegistration;
  readonly lease: Lease;
  readonly cache: LeasedCache;
}

export interface LeaseCounts {
  /** Renewals that were answered. */
  readonly renewals: number;
  /** Renewals and registrations that were not: Postgres away, or too slow. */
  readonly failures: number;
  /** How often the worker's row was gone, and with it the lease. */
  readonly losses: number;
}

/** After a failed renewal: soon enough to have the lease back when Postgres is. */
const RETRY_MS = 250;

export class LeaseKeeper {
  readonly #counts = { renewals: 0, failures: 0, losses: 0 };
  #registered = false;
  #renewing: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(private readonly options: LeaseKeeperOptions) {}

  get counts(): LeaseCounts {
    return { ...this.#counts };
  }

  /** Registers and takes the first lease. @throws ProviderError `StoreUnavailable`; then nothing was started */
  async start(): Promise<void> {
    await this.renew();
    this.#renewLater(this.#intervalMs);
  }

  /**
   * Renews with a statement that is sent after this call: what was committed before it has left the cache when this
   * returns, and the worker's row says so. Callers at one time share a renewal.
   *
   * @throws ProviderError `StoreUnavailable`
   */
  renew(): Promise<void> {
    if (!this.#renewing) return this.#renewNow();
    // The one under way may have been sent before what this caller wants to hear of.
    this.#next ??= this.#renewing
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.#renewNow();
      });
    return this.#next;
  }

  /** As a notification does: renews, and leaves failures to the next time. */
  readonly nudge = (): void => {
    if (this.#stopped) return;
    void this.renew().then(
      () => this.#renewLater(this.#intervalMs),
      () => this.#renewLater(RETRY_MS),
    );
  };

  /** Empties the cache and takes the worker's row away, so that no fence waits for it. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    await (this.#next ?? this.#renewing)?.catch(() => {});
    this.#loseLease();
    // Where Postgres is away, the row goes as a crashed worker's does.
    await this.options.store.deregisterWorker(this.options.worker.workerId).catch(() => {});
  }

  get #intervalMs(): number {
    return this.options.lease.leaseMs / 3;
  }

  #renewLater(delayMs: number): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(this.nudge, delayMs).unref();
  }

  #renewNow(): Promise<void> {
    this.#renewing = this.#renewUntilApplied().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** A renewal records what was applied before it was sent: news takes a second one, which tells the fence. */
  async #renewUntilApplied(): Promise<void> {
    const { lease } = this.options;
    try {
      for (let applied = -1; applied < lease.appliedEpoch; ) {
        applied = lease.appliedEpoch;
        await this.#renewOnce();
      }
    } catch (error) {
      this.#counts.failures += 1;
      throw error;
    }
  }

  async #renewOnce(): Promise<void> {
    const { store, worker, lease, cache } = this.options;
    if (!this.#registered) {
      await store.registerWorker(worker);
      this.#registered = true;
      this.#loseLease();
    }
    const sentAt = lease.now();
    const renewal = await store.renewLease(worker.workerId, lease.appliedEpoch, lease.leaseMs / 2);
    if (this.#stopped) return;
    if (!renewal) {
      this.#counts.losses += 1;
      this.#registered = false;
      return this.#renewOnce();
    }
    this.#counts.renewals += 1;
    if (renewal.changed === 'everything') cache.clear();
    else cache.invalidate(renewal.changed, renewal.epoch);
    lease.apply(renewal.epoch);
    lease.extend(sentAt);
  }

  #loseLease(): void {
    this.options.lease.lose();
    this.options.cache.clear();
  }
}
