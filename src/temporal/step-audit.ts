/**
 * What the steps of this process tell the audit. Sent past them: no step waits for it or fails because of it. While
 * Postgres is away, uses are held, as far as there is room, and what does not open is told by the next step that finds
 * it. Uses are stored well within a minute: that is what a worker that is killed takes along.
 */
import { asyncLocalStorage } from '@temporalio/activity';
import { LRUCache } from 'lru-cache';
import { isProviderError } from '../protocol/errors.js';
import type { ProviderIdentity } from '../protocol/identity.js';
import type { ProviderReference } from '../protocol/references.js';
import type { ResolverAudit } from '../resolver/resolver-audit.js';
import type { StepAuditStore } from '../store/step-audit-store.js';
import { MAX_HELD_USES, UseCounts } from './use-counts.js';

/** With the longest that a statement may take, less than a minute. */
const STORE_EVERY_MS = 45_000;
/** Sooner where so many are held: there must be room for those that come while they are stored. */
const STORE_AT = MAX_HELD_USES / 2;
/** How many versions that do not open are remembered: each is told once. */
const MAX_TOLD = 10_000;

export class StepAudit implements ResolverAudit {
  readonly #told = new LRUCache<string, true>({ max: MAX_TOLD });
  #timer: NodeJS.Timeout | undefined;
  #storing: Promise<void> | undefined;
  #lostBefore = 0;

  /** @param worker - how this process is called */
  constructor(
    private readonly store: StepAuditStore,
    private readonly worker: string,
    private readonly uses = new UseCounts(),
  ) {}

  /** How many uses were not counted, since this process started. */
  get usesLost(): number {
    return this.uses.lost;
  }

  used(reference: ProviderReference): void {
    const info = asyncLocalStorage.getStore()?.info;
    const added = this.uses.add(reference, info?.workflowType ?? '', info?.workflowExecution?.workflowId ?? '');
    // Where that fails, the next attempt is the timer's.
    if (added && this.uses.size === STORE_AT) void this.storeUses();
  }

  unreadable(provider: ProviderIdentity, version: number): void {
    const key = `${provider.workspaceId}/${provider.type}/${provider.name}/${version}`;
    if (this.#told.has(key)) return;
    this.#told.set(key, true);
    const { workflowId } = asyncLocalStorage.getStore()?.info.workflowExecution ?? {};
    this.store
      .recordUnreadable({ provider, version, worker: this.worker, workflowId })
      .catch(() => this.#told.delete(key));
  }

  start(): void {
    this.#timer = setInterval(() => void this.storeUses(), STORE_EVERY_MS).unref();
  }

  /** Stores what is held, if Postgres is there. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#storing;
    await this.storeUses();
  }

  /** Never rejects; one at a time. */
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
    process.emitWarning(`${lost - this.#lostBefore} uses of credentials were not counted`, 'ProviderAuditWarning');
    this.#lostBefore = lost;
  }

  /** What can never be stored must not keep the rest from it for ever. */
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
