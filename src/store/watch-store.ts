/** What a person who watches a fleet reads of all workspaces, beside workers and rotations. */
import type { ProviderIdentity } from '../protocol/references.js';
import { call, type KeyColumns, toIdentity } from './calls.js';
import { latestMigration } from './migration-files.js';
import type { Database } from './pool.js';

/** An active provider that needs a person. */
export interface TroubledProvider {
  /**
   * `overdue`: the credential is older than its rotation interval. `rejected`: the service refused this version, and has
   * not accepted it since. `unreadable`: a worker could not open this version, and no check has answered since.
   */
  readonly trouble: 'overdue' | 'rejected' | 'unreadable';
  readonly provider: ProviderIdentity;
  readonly version: number;
  /** When the credential was last replaced, if it is overdue; otherwise when it was refused or did not open. */
  readonly since: Date;
  /** The rotation interval of a credential that is overdue, in milliseconds. */
  readonly rotateEveryMs?: number;
}

export interface SchemaVersion {
  /** The newest migration that the database has: `0012_grants`. */
  readonly applied: string;
  /** The newest migration of this build. The database may be newer: workers are replaced one by one. */
  readonly expected: string;
}

/** Each method throws ProviderError `StoreUnavailable`. */
export interface WatchStore {
  /** @param limit - the largest number for each trouble */
  listTroubledProviders(limit: number): Promise<readonly TroubledProvider[]>;
  readSchemaVersion(): Promise<SchemaVersion>;
}

export function watchStore(database: Database): WatchStore {
  return {
    async listTroubledProviders(limit) {
      return (await database.query<TroubledColumns>(LIST_TROUBLED, [limit])).map(toTroubled);
    },
    async readSchemaVersion() {
      const [row] = await database.query<{ applied: string }>(LATEST_MIGRATION, []);
      return { applied: row?.applied ?? '', expected: latestMigration() };
    },
  };
}

const LIST_TROUBLED = call('list_troubled_providers', 1);
const LATEST_MIGRATION = call('latest_migration', 0, 'latest_migration as applied');

interface TroubledColumns extends KeyColumns {
  readonly trouble: TroubledProvider['trouble'];
  readonly version: string;
  readonly since: Date;
  readonly rotate_every_ms: string | null;
}

function toTroubled({ trouble, version, since, rotate_every_ms: rotateEveryMs, ...key }: TroubledColumns) {
  return {
    trouble,
    provider: toIdentity(key),
    version: Number(version),
    since,
    ...(rotateEveryMs !== null && { rotateEveryMs: Number(rotateEveryMs) }),
  };
}
