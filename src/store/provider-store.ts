/** The worker's side of the store. Its login is granted `provider_resolver`, which can call a few functions. */
import { checkWorkspaceId } from '../protocol/names.js';
import { type Database, type DatabaseOptions, openDatabase } from './pool.js';
import type { LeaseStore, ProviderRecord, WorkerRegistry, WorkspaceSnapshot, WrappedDataKey } from './ports.js';
import { preflight } from './preflight.js';
import { type StepAuditStore, stepAuditStore } from './step-audit-store.js';
import { leaseStore, workerRegistry } from './worker-store.js';

export type ProviderStoreOptions = DatabaseOptions;

export interface ProviderStore extends LeaseStore, WorkerRegistry, StepAuditStore {
  /**
   * All that a workspace has stored, in one snapshot and one round trip; empty lists where there is nothing. Of the data
   * keys the first is the active one.
   *
   * @throws ProviderError `StoreUnavailable`, `ProviderConfigInvalid` where the id does not fit its pattern
   */
  readWorkspace(workspaceId: string): Promise<WorkspaceSnapshot>;
  /**
   * Refuses a login with more rights than its role, a database where row-level security is not whole, and one that this
   * build does not fit.
   *
   * @throws ProviderError `ProviderConfigInvalid`, saying what to do; `StoreUnavailable`
   */
  preflight(): Promise<void>;
  /** Waits for statements under way. Idempotent. */
  close(): Promise<void>;
}

/**
 * Connects at the first call, not before.
 *
 * @throws ProviderError `ProviderConfigInvalid` where the URL is none
 */
export function openProviderStore(options: ProviderStoreOptions): ProviderStore {
  const database = openDatabase(options, 'provider_resolver');
  return {
    ...leaseStore(database),
    ...workerRegistry(database),
    ...stepAuditStore(database),
    readWorkspace: (workspaceId) => readWorkspace(database, workspaceId),
    preflight: () => preflight(database, 'provider_resolver'),
    close: () => database.close(),
  };
}

/** A provider's columns, as both the functions that read hand them out. */
export interface ProviderColumns {
  readonly provider_type: string;
  readonly provider_name: string;
  readonly config: unknown;
  readonly encrypted_config: string;
  readonly status: ProviderRecord['status'];
  /** A bigint comes as text, except within JSON. */
  readonly version: number | string;
}

export interface DataKeyColumns {
  readonly kid: string;
  readonly wrapped_key: string;
  readonly root_key_id: string;
}

interface WorkspaceColumns {
  readonly epoch: string;
  readonly data_keys: readonly DataKeyColumns[];
  readonly providers: readonly ProviderColumns[];
}

const READ_WORKSPACE = {
  name: 'read_workspace',
  text: 'select epoch, data_keys, providers from provider_api.read_workspace($1)',
};

export async function readWorkspace(database: Database, workspaceId: string): Promise<WorkspaceSnapshot> {
  const [row] = await database.query<WorkspaceColumns>(READ_WORKSPACE, [checkWorkspaceId(workspaceId)]);
  return {
    epoch: Number(row?.epoch ?? 0),
    dataKeys: (row?.data_keys ?? []).map(toDataKey),
    providers: (row?.providers ?? []).map(toProviderRecord),
  };
}

export function toDataKey(row: DataKeyColumns): WrappedDataKey {
  return { kid: row.kid, wrappedKey: row.wrapped_key, rootKeyId: row.root_key_id };
}

export function toProviderRecord(row: ProviderColumns): ProviderRecord {
  return {
    type: row.provider_type,
    name: row.provider_name,
    config: row.config,
    encryptedConfig: row.encrypted_config,
    status: row.status,
    version: Number(row.version),
  };
}
