/** What a worker adds to the audit. Its login can call the functions for that, and can read none of it. */
import type { UnreadableCredential } from '../protocol/audit.js';
import { call, keyOf } from './calls.js';
import type { Database } from './pool.js';

/** Each throws ProviderError `StoreUnavailable`. */
export interface StepAuditStore {
  /** Nothing, where the provider is at another version by now. */
  recordUnreadable(found: UnreadableCredential): Promise<void>;
}

export function stepAuditStore(database: Database): StepAuditStore {
  return {
    async recordUnreadable({ provider, version, worker, workflowId }) {
      await database.query(RECORD_UNREADABLE, [...keyOf(provider), version, worker, workflowId ?? null]);
    },
  };
}

const RECORD_UNREADABLE = call('record_unreadable', 6);
