/** The data keys of all workspaces, for replacing the root key and for shredding. */
import { checkWorkspaceId } from '../protocol/names.js';
import { call, change } from './calls.js';
import type { Database } from './pool.js';
import type { WrappedDataKey } from './ports.js';
import { type DataKeyColumns, toDataKey } from './provider-store.js';

export interface WorkspaceDataKey extends WrappedDataKey {
  readonly workspaceId: string;
}

/** Each method throws ProviderError `StoreUnavailable`. */
export interface DataKeyStore {
  /** Ordered by workspace and kid. @param after - the last data key of the page before; default: from the first */
  listDataKeys(
    after: Pick<WorkspaceDataKey, 'workspaceId' | 'kid'> | undefined,
    limit: number,
  ): Promise<readonly WorkspaceDataKey[]>;
  /** @returns false if the data key is no longer wrapped as `present` is, because another caller was first */
  rewrapDataKey(present: WorkspaceDataKey, rewrapped: WrappedDataKey): Promise<boolean>;
  /** Shreds the workspace's data keys: what they sealed can never be opened again. */
  deleteDataKeys(workspaceId: string): Promise<void>;
}

/** @param actor - the name that the audit records; default: the login */
export function dataKeyStore(database: Database, actor?: string): DataKeyStore {
  return {
    async listDataKeys(after, limit) {
      const values = [after?.workspaceId ?? '', after?.kid ?? '', limit];
      const rows = await database.query<DataKeyColumns & { readonly workspace_id: string }>(LIST, values);
      return rows.map((row) => ({ workspaceId: row.workspace_id, ...toDataKey(row) }));
    },
    async rewrapDataKey({ workspaceId, kid, wrappedKey }, rewrapped) {
      const values = [workspaceId, kid, wrappedKey, rewrapped.wrappedKey, rewrapped.rootKeyId];
      const [row] = await database.query<{ rewrapped: boolean }>(REWRAP, values);
      return row?.rewrapped ?? false;
    },
    async deleteDataKeys(workspaceId) {
      await database.query(DELETE, [checkWorkspaceId(workspaceId), actor ?? null]);
    },
  };
}

const LIST = call('list_data_keys', 3);
const REWRAP = change('rewrap_data_key', 5);
const DELETE = change('delete_data_keys', 2);
