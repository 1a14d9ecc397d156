/** The data keys of all workspaces, as whoever replaces the root key goes through them. */
import { checkWorkspaceId } from '../protocol/names.js';
import { call } from './calls.js';
import type { Database } from './pool.js';
import type { WrappedDataKey } from './ports.js';
import { type DataKeyColumns, toDataKey } from './provider-store.js';

export interface WorkspaceDataKey extends WrappedDataKey {
  readonly workspaceId: string;
}

/** Each throws ProviderError `StoreUnavailable`. */
export interface DataKeyStore {
  /** In the order of workspaces and kids. @param after - absent: from the first */
  listDataKeys(
    after: Pick<WorkspaceDataKey, 'workspaceId' | 'kid'> | undefined,
    limit: number,
  ): Promise<readonly WorkspaceDataKey[]>;
  /** @returns false where it is no longer wrapped as `present` is: somebody else was first */
  rewrapDataKey(present: WorkspaceDataKey, anew: WrappedDataKey): Promise<boolean>;
  /** Crypto-shredding: what the workspace stored can never be opened again. */
  deleteDataKeys(workspaceId: string): Promise<void>;
}

/** @param actor - as the audit calls who acts; absent: its login */
export function dataKeyStore(database: Database, actor?: string): DataKeyStore {
  return {
    async listDataKeys(after, limit) {
      const values = [after?.workspaceId ?? '', after?.kid ?? '', limit];
      const rows = await database.query<DataKeyColumns & { readonly workspace_id: string }>(LIST, values);
      return rows.map((row) => ({ workspaceId: row.workspace_id, ...toDataKey(row) }));
    },
    async rewrapDataKey({ workspaceId, kid, wrappedKey }, anew) {
      const values = [workspaceId, kid, wrappedKey, anew.wrappedKey, anew.rootKeyId];
      const [row] = await database.query<{ rewrapped: boolean }>(REWRAP, values);
      return row?.rewrapped ?? false;
    },
    async deleteDataKeys(workspaceId) {
      await database.query(DELETE, [checkWorkspaceId(workspaceId), actor ?? null]);
    },
  };
}

const LIST = call('list_data_keys', 3);
const REWRAP = call('rewrap_data_key', 5);
const DELETE = call('delete_data_keys', 2);
