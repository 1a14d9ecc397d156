/**
 * Keeps a worker's lease. It registers the worker, renews the lease three times per lease and whenever it hears of a
 * change, and removes what changed from the cache before it extends the lease. While Postgres is away the lease runs
 * out, and the cache answers nothing until Postgres is back.
 */
import { Observer, type Reporter } from '../observer/observer.js';
import { isProviderError } from '../protocol/errors.js';
import type { HeldCredential, LeaseStore, WorkerRegistration } from '../store/ports.js';
import type { ClockReading } from './clock-difference.js';
import type { Lease } from './lease.js';

/** The cache from which a keeper removes what changed, before the change counts as applied. */
export interface LeasedCache {
  /** @param epoch - entries that were read at this epoch or later already have the changes, and may stay */
  invalidate(workspaceIds: readonly string[], epoch: number): void;
  clear(): void;
}

export interface LeaseKeeperOptions {
  readonly store: LeaseStore;
  readonly worker: WorkerRegistration;
  readonly lease: Lease;
  readonly cache: LeasedCache;
  /** What steps hold that began before the last change of their workspace. Default: nothing. */
  readonly held?: () => readonly HeldCredential[] | 'too-many';
  /** Whether anything in this process holds a credential now. Default: nothing does. */
  readonly isHolding?: () => boolean;
  /** The digest of the key set of grants that this process uses. Default: it checks no grants. */
  readonly grantKeys?: () => string;
  /** Called after each renewal, if the store knows the clock of the database. */
  readonly onClock?: (reading: ClockReading) => void;
  /** Called after the worker has registered in another lineage of the database than before. */
  readonly onNewLineage?: () => void;
  /** Called after each renewal. */
  readonly onRenewal?: (succeeded: boolean) => void;
  /** Default: nobody is told. */
  readonly observer?: Pick<Reporter, 'report'>;
}

export interface LeaseCounts {
  /** The number of renewals that Postgres answered. */
  readonly renewals: number;
  /** The number of renewals and registrations that Postgres did not answer, or not in time. */
  readonly failures: number;
  /** How often the worker's row was gone, and with it the lease. */
  readonly losses: number;
}

const NEW_LINEAGE =
  'Postgres was restarted, replaced or restored, or its triggers or policies were changed: this worker has emptied its ' +
  'cache and registered again. If Postgres lost changes, run `workspace-providers after-restore`';

/** The wait after a failed renewal: short, so that the lease is back soon after Postgres is. */
const RETRY_MS = 250;

/**
 * How long a renewal may take if there is no lease that it could save. It may have to open a connection first, on a busy
 * machine, and if its answer comes too late for a lease, the next one does not need to.
 */
const UNLEASED_RENEWAL_MS = 5_000;

export class LeaseKeeper {
  readonly #counts = { renewals: 0, failures: 0, losses: 0 };
  #lineage: string | undefined;
  #registered = false;
  /** Whether there may be a row: a registration without an answer may still be done. */
  #mayHaveRow = false;
  #renewing: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** The last fault that was reported, so that each is reported once. */
  #warned: string | undefined;

  readonly #observer: Pick<Reporter, 'report'>;

  constructor(private readonly options: LeaseKeeperOptions) {
    this.#observer = options.observer ?? Observer.none;
  }

  get counts(): LeaseCounts {
    return { ...this.#counts };
  }

  /** Registers and takes the first lease. @throws ProviderError `StoreUnavailable`; nothing was started then */
  async start(): Promise<void> {
    await this.renew();
    this.#renewLater(this.#intervalMs);
  }

  /**
   * Renews with a statement that is sent after this call. When it returns, every change that was committed before the
   * call has left the cache, and the worker's row records that. Concurrent callers share a renewal.
   *
   * @throws ProviderError `StoreUnavailable`
   */
  renew(): Promise<void> {
    if (!this.#renewing) return this.#renewNow();
    // The renewal under way may have been sent before the change that this caller knows of.
    this.#next ??= this.#renewing
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.#renewNow();
      });
    return this.#next;
  }

  /** Renews after a notification. If that fails, the next renewal comes sooner. */
  readonly nudge = (): void => {
    if (this.#stopped) return;
    void this.renew().then(
      () => this.#renewLater(this.#intervalMs),
      () => this.#renewLater(RETRY_MS),
    );
  };

  /**
   * Empties the cache and removes the worker's row, so that no fence waits for it. If the process still holds a
   * credential, the row stays, and drains count it like that of a crashed worker.
   */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    await (this.#next ?? this.#renewing)?.catch(() => {});
    this.#loseLease();
    if (!this.#mayHaveRow || this.options.isHolding?.()) return;
    // If Postgres is away, a janitor removes the row later, as it does for a crashed worker.
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

  /** A renewal records what was applied before it was sent. If it brings changes, a second renewal records these. */
  async #renewUntilApplied(): Promise<void> {
    const { lease } = this.options;
    try {
      for (let applied = -1; applied < lease.appliedEpoch; ) {
        applied = lease.appliedEpoch;
        await this.#renewOnce();
      }
      this.#warned = undefined;
      this.options.onRenewal?.(true);
    } catch (error) {
      this.#counts.failures += 1;
      this.#observer.report({ what: 'renewal-failed' });
      this.options.onRenewal?.(false);
      if (isProviderError(error) && error.facts.isUnguarded) {
        this.#loseLease();
        this.#observer.report({ what: 'lease-lost' });
        this.#warnOnce(error.message);
      }
      throw error;
    }
  }

  async #renewOnce(): Promise<void> {
    const { store, worker, lease, cache, grantKeys, held } = this.options;
    if (!this.#registered) {
      this.#mayHaveRow = true;
      const lineage = await store.registerWorker(worker).catch((error: unknown) => {
        this.#noteSecondProcess(error);
        throw error;
      });
      this.#registered = true;
      this.#loseLease();
      lease.begin(lineage);
      this.#noteLineage(lineage);
    }
    const sentAt = lease.now();
    const timeoutMs = lease.isHeld() ? lease.leaseMs / 2 : Math.max(lease.leaseMs / 2, UNLEASED_RENEWAL_MS);
    // A drain takes what is held to be as of the applied epoch, so both are read at the same moment.
    const facts = [grantKeys?.(), held?.()] as const;
    const renewal = await store.renewLease(worker.workerId, lease.appliedEpoch, timeoutMs, ...facts);
    if (this.#stopped) return;
    if (!renewal) {
      this.#counts.losses += 1;
      this.#observer.report({ what: 'lease-lost' });
      this.#registered = false;
      return this.#renewOnce();
    }
    this.#counts.renewals += 1;
    const { databaseMs } = renewal;
    if (databaseMs !== undefined) {
      this.options.onClock?.({ sentAtMs: sentAt.wallMs, receivedAtMs: lease.now().wallMs, databaseMs });
    }
    if (renewal.changed === 'everything') cache.clear();
    else cache.invalidate(renewal.changed, renewal.epoch);
    lease.apply(renewal.epoch);
    lease.extend(sentAt);
    this.#observer.report({ what: 'renewed', tookMs: lease.now().monotonicMs - sentAt.monotonicMs });
  }

  /** If the row is another process's, this one must neither hold a lease nor remove the row. */
  #noteSecondProcess(error: unknown): void {
    if (!isProviderError(error) || error.type !== 'SetupInvalid') return;
    this.#mayHaveRow = false;
    this.#loseLease();
    this.#warnOnce(error.message);
  }

  #noteLineage(lineage: string): void {
    if (this.#lineage !== undefined && this.#lineage !== lineage) {
      process.emitWarning(NEW_LINEAGE, 'ProviderLeaseWarning');
      this.options.onNewLineage?.();
    }
    this.#lineage = lineage;
  }

  #warnOnce(message: string): void {
    if (this.#warned !== message) process.emitWarning(message, 'ProviderLeaseWarning');
    this.#warned = message;
  }

  #loseLease(): void {
    this.options.lease.lose();
    this.options.cache.clear();
  }
}
