/**
 * Records which credentials this process gave out, and which did not open. It works in the background: no step waits
 * for it or fails because of it. While Postgres cannot be reached, uses are held as far as there is room, and a
 * credential that does not open is reported by the next step that finds it. A worker that is killed loses less than a
 * minute of uses.
 */
import { LRUCache } from 'lru-cache';
import { type Listener, Observer, type Reporter } from '../observer/observer.js';
import { isProviderError } from '../protocol/errors.js';
import type { ProviderIdentity, ProviderReference } from '../protocol/references.js';
import type { StepAuditStore } from '../store/step-audit-store.js';
import { MAX_HELD_USES, UseCounts } from './use-counts.js';

/** Together with the longest time that a statement may take, less than a minute. */
const STORE_EVERY_MS = 45_000;
/** Uses are stored sooner if this many are held: there must be room for those that arrive meanwhile. */
const STORE_AT = MAX_HELD_USES / 2;
/** The number of unreadable versions that are remembered: each is reported once. */
const MAX_REPORTED = 10_000;

/** Counts the uses of credentials. No step waits for it, and it must not throw: no step may fail because of it. */
export interface UseCounter {
  /** The credential is given out now. Called for every step, so it must cost next to nothing. */
  used(reference: ProviderReference): void;
}

/** The workflow on whose behalf a credential is given out, if there is one. */
export type CallerOf = () => { readonly workflowType: string; readonly workflowId: string } | undefined;

const NO_CALLER: CallerOf = () => undefined;

export class UseAudit implements UseCounter {
  readonly #reported = new LRUCache<string, true>({ max: MAX_REPORTED });
  #timer: NodeJS.Timeout | undefined;
  #storing: Promise<void> | undefined;
  #lostBefore = 0;

  /** @param worker - the name of this process */
  constructor(
    private readonly store: StepAuditStore,
    private readonly worker: string,
    private readonly callerOf: CallerOf = NO_CALLER,
    private readonly uses = new UseCounts(),
    private readonly observer: Pick<Reporter, 'report'> = Observer.none,
  ) {}

  /** Hears of credentials that do not open. */
  readonly listener: Listener = {
    happened: (event) => {
      if (event.what === 'unreadable') this.#unreadable(event.provider, event.version);
    },
  };

  /** The number of uses that were not counted since this process started. */
  get usesLost(): number {
    return this.uses.lost;
  }

  used(reference: ProviderReference): void {
    const caller = this.callerOf();
    const added = this.uses.add(reference, caller?.workflowType ?? '', caller?.workflowId ?? '');
    // If that fails, the timer tries again.
    if (added && this.uses.size === STORE_AT) void this.storeUses();
  }

  /** The stored credential does not open at that version: altered, copied from elsewhere, or its key is lost. */
  #unreadable(provider: ProviderIdentity, version: number): void {
    const key = `${provider.workspaceId}/${provider.type}/${provider.name}/${version}`;
    if (this.#reported.has(key)) return;
    this.#reported.set(key, true);
    const workflowId = this.callerOf()?.workflowId;
    this.store
      .recordUnreadable({ provider, version, worker: this.worker, workflowId })
      .catch(() => this.#reported.delete(key));
  }

  start(): void {
    this.#timer = setInterval(() => void this.storeUses(), STORE_EVERY_MS).unref();
  }

  /** Stores what is held, if Postgres answers. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#storing;
    await this.storeUses();
  }

  /** Stores the held uses, one call at a time. Never rejects. */
  storeUses(): Promise<void> {
    this.#storing ??= this.#storeUses().finally(() => {
      this.#storing = undefined;
    });
    return this.#storing;
  }

  async #storeUses(): Promise<void> {
    if (this.uses.size > 0) await this.uses.store((uses) => this.#stored(uses)).catch(() => {});
    const { lost } = this.uses;
    if (lost === this.#lostBefore) return;
    const count = lost - this.#lostBefore;
    process.emitWarning(`${count} uses of credentials were not counted`, 'ProviderAuditWarning');
    this.observer.report({ what: 'uses-lost', count });
    this.#lostBefore = lost;
  }

  /** Uses that can never be stored are dropped, so that they do not block the rest. */
  async #stored(uses: Parameters<StepAuditStore['recordUses']>[0]): Promise<boolean> {
    try {
      await this.store.recordUses(uses);
      return true;
    } catch (error) {
      if (isProviderError(error) && !error.retryable) return false;
      throw error;
    }
  }
}
