/** The worker's part of the store. Its login is granted `provider_resolver`, which can only call a few functions. */
import { checkWorkspaceId } from '../protocol/names.js';
import { BatchedReads } from './batched-reads.js';
import { call } from './calls.js';
import { type Database, type DatabaseOptions, openDatabase } from './pool.js';
import type { LeaseStore, ProviderRecord, WorkerRegistry, WorkspaceSnapshot, WrappedDataKey } from './ports.js';
import { preflight } from './preflight.js';
import { type StepAuditStore, stepAuditStore } from './step-audit-store.js';
import { leaseStore, WorkerTokens, workerRegistry } from './worker-store.js';

export type ProviderStoreOptions = DatabaseOptions;

export interface ProviderStore extends LeaseStore, StepAuditStore, Pick<WorkerRegistry, 'listWorkers'> {
  /**
   * Reads all that a workspace has stored, in one snapshot and one round trip, which it may share with other reads. The
   * lists are empty if there is nothing. The first data key is the active one.
   *
   * @param signal - if aborted, the read fails with `StoreUnavailable`
   * @throws ProviderError `StoreUnavailable`, `ProviderConfigInvalid` if the id is not valid
   */
  readWorkspace(workspaceId: string, signal?: AbortSignal): Promise<WorkspaceSnapshot>;
  /** A few data keys of any workspaces: empty if none is stored. @throws ProviderError `StoreUnavailable` */
  sampleDataKeys(): Promise<readonly (WrappedDataKey & { readonly workspaceId: string })[]>;
  /**
   * Refuses a login with more rights than its role, a database whose row-level security is not complete, and one that
   * is older than this build.
   *
   * @throws ProviderError `SetupInvalid`, with what to do; `StoreUnavailable`
   */
  preflight(): Promise<void>;
  /** Waits for running statements. Idempotent. */
  close(): Promise<void>;
}

/**
 * Connects at the first call, not before.
 *
 * @throws ProviderError `SetupInvalid` if the URL is not valid
 */
export function openProviderStore(options: ProviderStoreOptions): ProviderStore {
  const database = openDatabase(options, 'provider_resolver');
  // Loads that wait for a connection must not delay renewals: each read would then become a load, and delay them more.
  const renewals = openDatabase({ ...options, maxConnections: 1 }, 'provider_resolver');
  const reads = new BatchedReads((workspaceIds, signal) => readWorkspaces(database, workspaceIds, signal));
  const tokens = new WorkerTokens();
  return {
    ...leaseStore(renewals, tokens),
    ...stepAuditStore(database, tokens),
    listWorkers: workerRegistry(database).listWorkers,
    readWorkspace: async (workspaceId, signal) => reads.read(checkWorkspaceId(workspaceId), signal),
    async sampleDataKeys() {
      const rows = await database.query<DataKeyColumns & { readonly workspace_id: string }>(SAMPLE, []);
      return rows.map((row) => ({ workspaceId: row.workspace_id, ...toDataKey(row) }));
    },
    preflight: () => preflight(database, 'provider_resolver'),
    close: async () => void (await Promise.all([database.close(), renewals.close()])),
  };
}

/** A provider's columns, as both functions that read providers return them. */
export interface ProviderColumns {
  readonly provider_type: string;
  readonly provider_name: string;
  readonly config: unknown;
  readonly encrypted_config: string;
  readonly status: ProviderRecord['status'];
  /** A bigint is returned as text, except within JSON. */
  readonly version: number | string;
}

export interface DataKeyColumns {
  readonly kid: string;
  readonly wrapped_key: string;
  readonly root_key_id: string;
}

export interface WorkspaceColumns {
  readonly epoch: string;
  readonly lineage: string | null;
  readonly data_keys: readonly DataKeyColumns[];
  readonly providers: readonly ProviderColumns[];
}

const READ_WORKSPACE = {
  name: 'read_workspace',
  text: 'select epoch, lineage, data_keys, providers from provider_api.read_workspace($1)',
};

const SAMPLE = call('sample_data_keys', 0);

const READ_WORKSPACES = {
  name: 'read_workspaces',
  text:
    'select read.* from unnest($1::text[]) with ordinality as given (workspace_id, place), ' +
    'provider_api.read_workspace(given.workspace_id) as read order by given.place',
};

export async function readWorkspace(
  database: Database,
  workspaceId: string,
  signal?: AbortSignal,
): Promise<WorkspaceSnapshot> {
  const [row] = await database.query<WorkspaceColumns>(READ_WORKSPACE, [checkWorkspaceId(workspaceId)], signal);
  return toSnapshot(row);
}

/** Reads several workspaces with one statement, and so in one snapshot. Returns them in the order of the ids. */
export async function readWorkspaces(
  database: Database,
  workspaceIds: readonly string[],
  signal?: AbortSignal,
): Promise<readonly WorkspaceSnapshot[]> {
  const [first] = workspaceIds;
  if (workspaceIds.length === 1 && first) return [await readWorkspace(database, first, signal)];
  const rows = await database.query<WorkspaceColumns>(READ_WORKSPACES, [workspaceIds.map(checkWorkspaceId)], signal);
  return rows.map(toSnapshot);
}

function toSnapshot(row: WorkspaceColumns | undefined): WorkspaceSnapshot {
  return {
    epoch: Number(row?.epoch ?? 0),
    ...(row?.lineage && { lineage: row.lineage }),
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
