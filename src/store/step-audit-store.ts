/** What a worker adds to the audit. Its login can call the functions for that, and cannot read the audit. */

import { call, keyOf } from './calls.js';
import type { Database } from './pool.js';
import type { CountedUse, UnreadableCredential } from './ports.js';
import type { WorkerTokens } from './worker-store.js';

/**
 * Each method throws ProviderError `StoreUnavailable`, also if the process has not registered as a worker, and
 * `ProviderConfigInvalid` if a value cannot be stored.
 */
export interface StepAuditStore {
  /** Adds to the counts that are stored. If the answer is lost, the uses may have been added nevertheless. */
  recordUses(uses: readonly CountedUse[]): Promise<void>;
  /** Does nothing if the provider is at another version by now. */
  recordUnreadable(found: UnreadableCredential): Promise<void>;
}

export function stepAuditStore(database: Database, tokens: WorkerTokens): StepAuditStore {
  return {
    async recordUses(uses) {
      const column = (of: (use: CountedUse) => unknown) => uses.map(of);
      await database.query(RECORD_USE, [
        ...tokens.last(),
        column(({ provider }) => provider.workspaceId),
        column(({ provider }) => provider.type),
        column(({ provider }) => provider.name),
        column(({ minuteMs }) => new Date(minuteMs)),
        column(({ version }) => version),
        column(({ workflowType }) => storable(workflowType)),
        column(({ workflowId }) => storable(workflowId)),
        column(({ count }) => count),
      ]);
    },

    async recordUnreadable({ provider, version, worker, workflowId = '' }) {
      const values = [...tokens.last(), ...keyOf(provider), version, storable(worker), storable(workflowId)];
      await database.query(RECORD_UNREADABLE, values);
    },
  };
}

const RECORD_USE = call('record_use', 10);
const RECORD_UNREADABLE = call('record_unreadable', 8);

/** Removes the only character that a Postgres text cannot contain. A workflow's id can. */
function storable(text: string): string {
  return text.replaceAll('\0', '');
}
