/**
 * Reads and writes many providers at a time, for imports. A batch is one statement, so it is one round trip and one
 * transaction: everything in it is written, or nothing is.
 */
import { ProviderError } from '../protocol/errors.js';
import { checkWorkspaceId } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import { keyOf } from './calls.js';
import type { WorkspaceDataKey } from './data-key-store.js';
import type { Database } from './pool.js';
import type { WorkspaceSnapshot, WrappedDataKey } from './ports.js';
import { type DataKeyColumns, readWorkspaces, toDataKey } from './provider-store.js';

export interface BulkWrite extends ProviderIdentity {
  /** Public: a JSON object. It is not checked against its provider type here. */
  readonly config: unknown;
  readonly encryptedConfig: string;
  /** Whether to write only if there is no such provider. Otherwise any version is replaced. */
  readonly onlyIfAbsent: boolean;
}

/** Each method throws ProviderError `StoreUnavailable`, and `ProviderConfigInvalid` if a value does not fit its column. */
export interface BulkStore {
  /** Returns what each workspace has stored, in the order of the ids. */
  readWorkspaces(workspaceIds: readonly string[]): Promise<readonly WorkspaceSnapshot[]>;
  /** Adds each data key whose workspace has none. Returns the active ones, in the order of the keys. */
  addDataKeys(keys: readonly WorkspaceDataKey[]): Promise<readonly WrappedDataKey[]>;
  /**
   * Adds providers, or replaces what is stored. A disabled provider stays disabled.
   *
   * @returns for each, in the order of the writes, whether it was written: not if `onlyIfAbsent` and it exists
   */
  putProviders(writes: readonly BulkWrite[]): Promise<readonly boolean[]>;
}

/** @param actor - the name that the audit records; default: the login */
export function bulkStore(database: Database, actor?: string): BulkStore {
  return {
    readWorkspaces: (workspaceIds) => readWorkspaces(database, workspaceIds),

    async addDataKeys(keys) {
      const values = columns(keys, ({ workspaceId, kid, wrappedKey, rootKeyId }) => [
        ...[checkWorkspaceId(workspaceId), kid, wrappedKey, rootKeyId],
      ]);
      const active = await database.query<DataKeyColumns>(ADD_DATA_KEYS, values);
      if (active.every(({ kid }) => kid)) return active.map(toDataKey);
      // As in `addDataKey`: another caller deleted the data keys at the same moment.
      throw new ProviderError('StoreUnavailable', 'another caller is changing the same data keys: try again');
    },

    async putProviders(writes) {
      const values = columns(writes, ({ config, encryptedConfig, onlyIfAbsent, ...identity }) => [
        ...[...keyOf(identity), JSON.stringify(config), encryptedConfig, onlyIfAbsent ? 0 : null],
      ]);
      const rows = await database.query<{ new_version: string | null }>(PUT, [...values, actor ?? null]);
      return rows.map(({ new_version: version }) => version !== null);
    },
  };
}

const ADD_DATA_KEYS = {
  name: 'add_data_keys',
  isChange: true,
  text:
    'select active.* from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality ' +
    'as given (workspace_id, kid, wrapped_key, root_key_id, place), ' +
    'provider_api.add_data_key(given.workspace_id, given.kid, given.wrapped_key, given.root_key_id) as active ' +
    'order by given.place',
};
const PUT = {
  name: 'put_providers',
  isChange: true,
  text:
    'select put.new_version from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[]) ' +
    'with ordinality as given (workspace_id, type, name, config, encrypted_config, expected_version, place), ' +
    'provider_api.put_provider(given.workspace_id, given.type, given.name, given.config::jsonb, ' +
    'given.encrypted_config, given.expected_version, $7) as put (new_version) order by given.place',
};

/** The values of rows as one array per column, which `unnest` takes. */
function columns<Row>(rows: readonly Row[], valuesOf: (row: Row) => readonly unknown[]): unknown[][] {
  const table = rows.map(valuesOf);
  return (table[0] ?? []).map((_, column) => table.map((values) => values[column]));
}
