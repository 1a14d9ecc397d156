/** The database of a stage: migrated, with a login for each role, reached directly or through a pooler. */

import { createLogin } from '../src/store/logins.js';
import { migrate } from '../src/store/migrate.js';
import type { DatabaseOptions } from '../src/store/pool.js';
import type { PgBouncerPart } from './pgbouncer.js';

export interface StageDatabase {
  /** For the superuser who migrated it, always directly. */
  readonly ownerUrl: string;
  readonly resolverUrl: string;
  readonly managerUrl: string;
  /** Options of stores besides the URL. */
  readonly store: Pick<DatabaseOptions, 'preparedStatements' | 'queryTimeoutMs'>;
  /** The same as settings of processes. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Migrates an empty database, and creates its logins. */
export async function migratedDatabase(ownerUrl: string): Promise<StageDatabase> {
  await migrate(ownerUrl);
  return withLogins(ownerUrl);
}

/** Creates the logins of a migrated database. */
export async function withLogins(ownerUrl: string): Promise<StageDatabase> {
  const resolverUrl = await createLogin(ownerUrl, 'provider_resolver');
  const managerUrl = await createLogin(ownerUrl, 'provider_manager');
  return { ownerUrl, resolverUrl, managerUrl, store: {}, settings: {} };
}

/** The same database through a PgBouncer in transaction mode; only workers that listen for changes connect directly. */
export function behindPooler<Database extends StageDatabase>(database: Database, pooler: PgBouncerPart): Database {
  return {
    ...database,
    resolverUrl: pooler.through(database.resolverUrl),
    managerUrl: pooler.through(database.managerUrl),
    store: { preparedStatements: false },
    settings: { PROVIDER_PREPARED_STATEMENTS: 'false', PROVIDER_LISTEN_DATABASE_URL: database.resolverUrl },
  };
}
