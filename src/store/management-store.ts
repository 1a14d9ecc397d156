/**
 * The side of the store that changes providers: the CLI, the API, a rotation. Its login is granted `provider_manager`,
 * which can call functions and touches no table either.
 */
import { ProviderError } from '../protocol/errors.js';
import { checkActor, checkWorkspaceId, describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { CheckOutcome } from '../protocol/rotation.js';
import { type ProviderAudit, providerAudit } from './audit-store.js';
import { call, keyOf } from './calls.js';
import { type DataKeyStore, dataKeyStore } from './data-key-store.js';
import { type Database, type DatabaseOptions, openDatabase, type Statement } from './pool.js';
import type { ProviderRecord, WorkerRegistry, WrappedDataKey } from './ports.js';
import { type CheckedDatabase, checkedFirst } from './preflight.js';
import {
  type DataKeyColumns,
  type ProviderColumns,
  type ProviderStore,
  readWorkspace,
  toDataKey,
  toProviderRecord,
} from './provider-store.js';
import { type RotationStore, rotationStore } from './rotation-store.js';
import { type ScheduleStore, scheduleStore } from './schedule-store.js';
import { workerRegistry } from './worker-store.js';

/** What the last check at the live service found out about this version. */
export interface ProviderCheck {
  readonly outcome: CheckOutcome;
  readonly at: Date;
}

export interface ProviderRow extends ProviderRecord {
  /** The age at which the credential is due for rotation, in milliseconds. Absent: it is rotated only on request. */
  readonly rotateEveryMs?: number;
  /** When the sealed credential was last replaced. */
  readonly rotatedAt: Date;
  /** Absent: this version was never checked. */
  readonly lastCheck?: ProviderCheck;
  readonly createdAt: Date;
  /** When the version was last raised. */
  readonly updatedAt: Date;
  /** The minute in which a step was last handed it, at any version; absent: never. */
  readonly lastUsedAt?: Date;
}

export interface ProviderWrite {
  /** Public, a JSON object; not checked against its type here. */
  readonly config: unknown;
  readonly encryptedConfig: string;
  /** Write only over this version; 0: only where there is none yet. Absent: over whatever is there. */
  readonly expectedVersion?: number;
}

/**
 * Each throws ProviderError: `StoreUnavailable`, `ProviderConfigInvalid` where a value does not fit its column. The first
 * call also does what `preflight` does.
 */
export interface ManagementStore
  extends Pick<ProviderStore, 'readWorkspace' | 'preflight' | 'close'>,
    WorkerRegistry,
    RotationStore,
    ScheduleStore,
    DataKeyStore {
  readonly audit: ProviderAudit;
  /** The same store and its connections, for somebody whom the audit is to name: closing one closes both. */
  actingAs(actor: string): ManagementStore;
  /** By type and name. */
  listProviders(workspaceId: string): Promise<readonly ProviderRow[]>;
  /** Adds a workspace's data key where it has none, and returns the active one, whoever was first. */
  addDataKey(workspaceId: string, key: WrappedDataKey): Promise<WrappedDataKey>;
  /**
   * Adds a provider or replaces what it stores; one that is switched off stays so.
   *
   * @throws ProviderError `ProviderChanged` if it is not at `expectedVersion`
   */
  putProvider(identity: ProviderIdentity, write: ProviderWrite): Promise<{ readonly version: number }>;
  /** @throws ProviderError `ProviderNotConfigured` */
  setStatus(identity: ProviderIdentity, status: ProviderRecord['status']): Promise<{ readonly version: number }>;
  /** @returns false where there was none */
  removeProvider(identity: ProviderIdentity): Promise<boolean>;
  /** Keeps what a check found out, where the provider is still at that version. Raises no version. */
  recordCheck(identity: ProviderIdentity, version: number, outcome: ProviderCheck['outcome']): Promise<void>;
}

/**
 * Connects at the first call, not before.
 *
 * @throws ProviderError `SetupInvalid` for a URL that does not fit
 */
export function openManagementStore(options: DatabaseOptions): ManagementStore {
  return managementStore(checkedFirst(openDatabase(options, 'provider_manager'), 'provider_manager'));
}

/** @param actor - as the audit calls who acts; absent: its login */
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

    async listProviders(workspaceId) {
      return (await database.query<RowColumns>(LIST, [checkWorkspaceId(workspaceId)])).map(toProviderRow);
    },

    async addDataKey(workspaceId, { kid, wrappedKey, rootKeyId }) {
      const values = [checkWorkspaceId(workspaceId), kid, wrappedKey, rootKeyId];
      const [active] = await database.query<DataKeyColumns>(ADD_DATA_KEY, values);
      // A retired key of that kid stands in the way, or the keys were deleted at the same moment.
      if (!active?.kid) throw new ProviderError('StoreUnavailable', 'the data keys are changing: try again');
      return toDataKey(active);
    },

    async putProvider(identity, { config, encryptedConfig, expectedVersion }) {
      const values = [...keyOf(identity), toJson(config), encryptedConfig, expectedVersion ?? null, actor ?? null];
      const version = await newVersion(database, PUT, values);
      if (version !== undefined) return { version };
      throw new ProviderError(
        'ProviderChanged',
        `${describeProvider(identity)} is not at version ${expectedVersion} any more: read it again`,
        { provider: identity, fields: ['expectedVersion'] },
      );
    },

    async setStatus(identity, status) {
      const version = await newVersion(database, SET_STATUS, [...keyOf(identity), status, actor ?? null]);
      if (version !== undefined) return { version };
      throw new ProviderError('ProviderNotConfigured', `there is no ${describeProvider(identity)}`, {
        provider: identity,
      });
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
const ADD_DATA_KEY = call('add_data_key', 4, '*');
const PUT = call('put_provider', 7, 'new_version');
const SET_STATUS = call('set_provider_status', 5, 'new_version');
const REMOVE = call('remove_provider', 4, 'removed');
const RECORD_CHECK = call('record_check', 5, '*');

/** @returns undefined where the function found no row to change */
async function newVersion(
  database: Database,
  statement: Statement,
  values: readonly unknown[],
): Promise<number | undefined> {
  const [row] = await database.query<{ new_version: string | null }>(statement, values);
  return row?.new_version == null ? undefined : Number(row.new_version);
}

/** As text, since pg writes an array as one of Postgres's own. */
function toJson(config: unknown): string | undefined {
  try {
    return JSON.stringify(config);
  } catch {
    throw new ProviderError('ProviderConfigInvalid', 'config must be JSON', { fields: ['config'] });
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
