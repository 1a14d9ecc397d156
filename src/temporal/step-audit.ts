/**
 * What the steps of this process tell the audit. Sent past them: no step waits for it or fails because of it, and where
 * Postgres is away it is told by the next step that finds the same.
 */
import { asyncLocalStorage } from '@temporalio/activity';
import { LRUCache } from 'lru-cache';
import type { ProviderIdentity } from '../protocol/identity.js';
import type { ResolverAudit } from '../resolver/resolver-audit.js';
import type { StepAuditStore } from '../store/step-audit-store.js';

/** How many versions that do not open are remembered: each is told once. */
const MAX_TOLD = 10_000;

export class StepAudit implements ResolverAudit {
  readonly #told = new LRUCache<string, true>({ max: MAX_TOLD });

  /** @param worker - how this process is called */
  constructor(
    private readonly store: StepAuditStore,
    private readonly worker: string,
  ) {}

  unreadable(provider: ProviderIdentity, version: number): void {
    const key = `${provider.workspaceId}/${provider.type}/${provider.name}/${version}`;
    if (this.#told.has(key)) return;
    this.#told.set(key, true);
    const { workflowId } = asyncLocalStorage.getStore()?.info.workflowExecution ?? {};
    this.store
      .recordUnreadable({ provider, version, worker: this.worker, workflowId })
      .catch(() => this.#told.delete(key));
  }
}
