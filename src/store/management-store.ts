/**
 * The part of the store that changes providers, for the CLI, the API and rotations. Its login is granted
 * `provider_manager`, which can call functions and cannot touch a table.
 */
import { ProviderError } from '../protocol/errors.js';
import { checkActor, checkWorkspaceId, describeProvider, notConfigured } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { CheckOutcome } from '../protocol/rotation.js';
import { type ProviderAudit, providerAudit } from './audit-store.js';
import { type BulkStore, bulkStore } from './bulk-store.js';
import { call, change, keyOf } from './calls.js';
import { type DataKeyStore, dataKeyStore } from './data-key-store.js';
import { type Database, type DatabaseOptions, openDatabase, type Statement } from './pool.js';
import type { HolderRegistry, ProviderRecord, WorkerRegistry, WrappedDataKey } from './ports.js';
import { type CheckedDatabase, checkedFirst } from './preflight.js';
import {
  type DataKeyColumns,
  type ProviderColumns,
  type ProviderStore,
  readWorkspace,
  toDataKey,
  toProviderRecord,
} from './provider-store.js';
import { type RestoreStore, restoreStore } from './restore-store.js';
import { type RotationStore, rotationStore } from './rotation-store.js';
import { type ScheduleStore, scheduleStore } from './schedule-store.js';
import { type WatchStore, watchStore } from './watch-store.js';
import { workerRegistry } from './worker-store.js';

/** The result of the last check of this version at its live service. */
export interface ProviderCheck {
  readonly outcome: CheckOutcome;
  readonly at: Date;
}

export interface ProviderRow extends ProviderRecord {
  /** The age at which the credential is due for rotation, in milliseconds. Absent if it is rotated only on request. */
  readonly rotateEveryMs?: number;
  /** When the sealed credential was last replaced. */
  readonly rotatedAt: Date;
  /** Absent if this version was never checked. */
  readonly lastCheck?: ProviderCheck;
  readonly createdAt: Date;
  /** When the version was last raised. */
  readonly updatedAt: Date;
  /** The minute in which a step was last given the credential, at any version. Absent if none was. */
  readonly lastUsedAt?: Date;
}

export interface ProviderWrite {
  /** Public: a JSON object. It is not checked against its provider type here. */
  readonly config: unknown;
  readonly encryptedConfig: string;
  /** The version to write over; 0 if the provider must not exist yet. Default: any version, or none. */
  readonly expectedVersion?: number;
}

/**
 * Each method throws ProviderError `StoreUnavailable`, and `ProviderConfigInvalid` if a value does not fit its column.
 * The first call also runs `preflight`.
 */
export interface ManagementStore
  extends Pick<ProviderStore, 'readWorkspace' | 'preflight' | 'close'>,
    WorkerRegistry,
    HolderRegistry,
    RotationStore,
    ScheduleStore,
    DataKeyStore,
    BulkStore,
    RestoreStore,
    WatchStore {
  readonly audit: ProviderAudit;
  /** Returns the same store, whose changes the audit records under this name. Closing one of the two closes both. */
  actingAs(actor: string): ManagementStore;
  /** Ordered by type and name. */
  listProviders(workspaceId: string): Promise<readonly ProviderRow[]>;
  /** Adds the data key if the workspace has none. Returns the active one, also if another caller was first. */
  addDataKey(workspaceId: string, key: WrappedDataKey): Promise<WrappedDataKey>;
  /**
   * Adds a provider, or replaces what is stored. A disabled provider stays disabled.
   *
   * @throws ProviderError `ProviderChanged` if it is not at `expectedVersion`
   */
  putProvider(identity: ProviderIdentity, write: ProviderWrite): Promise<{ readonly version: number }>;
  /** @throws ProviderError `ProviderNotConfigured` if there is no such provider */
  setStatus(identity: ProviderIdentity, status: ProviderRecord['status']): Promise<{ readonly version: number }>;
  /** @returns false if there was no such provider */
  removeProvider(identity: ProviderIdentity): Promise<boolean>;
  /** Stores the result of a check, if the provider is still at this version. Does not raise the version. */
  recordCheck(identity: ProviderIdentity, version: number, outcome: ProviderCheck['outcome']): Promise<void>;
}

/**
 * Connects at the first call, not before.
 *
 * @throws ProviderError `SetupInvalid` if the URL is not valid
 */
export function openManagementStore(options: DatabaseOptions): ManagementStore {
  return managementStore(checkedFirst(openDatabase(options, 'provider_manager'), 'provider_manager'));
}

/** @param actor - the name that the audit records; default: the login */
function managementStore(database: CheckedDatabase, actor?: string): ManagementStore {
  return {
    actingAs: (other) => managementStore(database, checkActor(other)),
    preflight: () => database.preflight(),
    close: () => database.close(),
    readWorkspace: (workspaceId) => readWorkspace(database, workspaceId),
    ...workerRegistry(database),
    ...rotationStore(database, actor),
    ...scheduleStore(database, actor),
    audit: providerAudit(database),
    ...dataKeyStore(database, actor),
    ...bulkStore(database, actor),
    ...restoreStore(database, actor),
    ...watchStore(database),

    async listProviders(workspaceId) {
      return (await database.query<RowColumns>(LIST, [checkWorkspaceId(workspaceId)])).map(toProviderRow);
    },

    async addDataKey(workspaceId, { kid, wrappedKey, rootKeyId }) {
      const values = [checkWorkspaceId(workspaceId), kid, wrappedKey, rootKeyId];
      const [active] = await database.query<DataKeyColumns>(ADD_DATA_KEY, values);
      if (active?.kid) return toDataKey(active);
      // A retired data key has the same kid, or another caller deleted the data keys at the same moment.
      const message = `another caller is changing the data keys of ${workspaceId}: try again`;
      throw new ProviderError('StoreUnavailable', message);
    },

    async putProvider(identity, { config, encryptedConfig, expectedVersion }) {
      const values = [...keyOf(identity), toJson(config), encryptedConfig, expectedVersion ?? null, actor ?? null];
      const version = await newVersion(database, PUT, values);
      if (version !== undefined) return { version };
      throw new ProviderError(
        'ProviderChanged',
        `${describeProvider(identity)} is no longer at version ${expectedVersion}: read it again and repeat the change`,
        { provider: identity, fields: ['expectedVersion'] },
      );
    },

    async setStatus(identity, status) {
      const version = await newVersion(database, SET_STATUS, [...keyOf(identity), status, actor ?? null]);
      if (version !== undefined) return { version };
      throw notConfigured(identity);
    },

    async removeProvider(identity) {
      const [row] = await database.query<{ removed: boolean }>(REMOVE, [...keyOf(identity), actor ?? null]);
      return row?.removed ?? false;
    },

    async recordCheck(identity, version, outcome) {
      await database.query(RECORD_CHECK, [...keyOf(identity), version, outcome]);
    },
  };
}

const LIST = call('list_providers', 1, '*');
const ADD_DATA_KEY = change('add_data_key', 4, '*');
const PUT = change('put_provider', 7, 'new_version');
const SET_STATUS = change('set_provider_status', 5, 'new_version');
const REMOVE = change('remove_provider', 4, 'removed');
const RECORD_CHECK = change('record_check', 5, '*');

/** @returns undefined if the function found no row to change */
async function newVersion(
  database: Database,
  statement: Statement,
  values: readonly unknown[],
): Promise<number | undefined> {
  const [row] = await database.query<{ new_version: string | null }>(statement, values);
  return row?.new_version == null ? undefined : Number(row.new_version);
}

/** As text, because pg would write an array as a Postgres array. */
function toJson(config: unknown): string | undefined {
  try {
    return JSON.stringify(config);
  } catch {
    throw new ProviderError('ProviderConfigInvalid', 'config must be a value that JSON can represent', {
      fields: ['config'],
    });
  }
}

interface RowColumns extends ProviderColumns {
  readonly rotate_every_ms: string | null;
  readonly rotated_at: Date;
  readonly last_check_outcome: ProviderCheck['outcome'] | null;
  readonly last_check_at: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly last_used_at: Date | null;
}

function toProviderRow(row: RowColumns): ProviderRow {
  const { rotate_every_ms: rotateEvery, last_check_outcome: outcome, last_check_at: at } = row;
  return {
    ...toProviderRecord(row),
    ...(rotateEvery !== null && { rotateEveryMs: Number(rotateEvery) }),
    rotatedAt: row.rotated_at,
    ...(outcome && at && { lastCheck: { outcome, at } }),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...(row.last_used_at && { lastUsedAt: row.last_used_at }),
  };
}
