/** What is done to a database that was restored to an earlier time, so that workflows which are ahead of it continue. */
import { change } from './calls.js';
import type { Database } from './pool.js';

/** Each method throws ProviderError `StoreUnavailable`. */
export interface RestoreStore {
  /**
   * Raises the versions of the next workspaces beyond any that can have been lost.
   *
   * @param after - the last workspace of the call before; empty to begin
   * @returns the last workspace, to continue after; `undefined` if none is left
   */
  raiseVersions(after: string): Promise<string | undefined>;
  /** Begins a new lineage, with an epoch beyond any that can have been lost. */
  endRestore(): Promise<void>;
}

/** A call takes about a second. */
const WORKSPACES_AT_ONCE = 1_000;

/** @param actor - the name that the audit records; default: the login */
export function restoreStore(database: Database, actor?: string): RestoreStore {
  return {
    async raiseVersions(after) {
      const [row] = await database.query<{ last_workspace_id: string | null }>(RAISE, [after, WORKSPACES_AT_ONCE]);
      return row?.last_workspace_id ?? undefined;
    },
    async endRestore() {
      await database.query(END, [actor ?? null]);
    },
  };
}

const RAISE = change('raise_versions', 2);
const END = change('end_restore', 1);
