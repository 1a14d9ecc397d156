/**
 * Brings a database to the schema of this build. The files in `schema/` are numbered; those that the database does not
 * have run in one transaction under a session's advisory lock, so any number of migrators may start at once. They need
 * direct connections: a pooler in transaction mode has no sessions. Files that have been released are append-only.
 */
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { ProviderError } from '../protocol/errors.js';
import { SCHEMA_FOLDER } from './migration-files.js';
import { withSession } from './session.js';
import { toStoreError } from './store-errors.js';

/** The runner logs whole statements and inspected errors. */
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * @param databaseUrl - for a login that owns the database and may create roles; it need not be a superuser
 * @returns the names of the migrations that were applied now
 * @throws ProviderError `SetupInvalid` where the login may not migrate, `StoreUnavailable`
 */
export async function migrate(databaseUrl: string): Promise<readonly string[]> {
  // A session of our own: the runner's has no error listener, and a lost connection would end the process.
  try {
    const applied = await withSession(databaseUrl, (dbClient) =>
      runner({
        dbClient,
        dir: SCHEMA_FOLDER,
        direction: 'up',
        migrationsSchema: 'provider_api',
        migrationsTable: 'migrations',
        createMigrationsSchema: true,
        singleTransaction: true,
        advisoryLockMode: 'wait',
        logger: silent,
      }),
    );
    return applied.map(({ name }) => name);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === '42501') {
      throw new ProviderError(
        'SetupInvalid',
        'the login may not migrate: it must own the database, and have CREATEROLE or have been granted provider_owner and provider_auditor',
        { fields: ['databaseUrl'] },
      );
    }
    throw toStoreError(error, 'provider_owner');
  }
}
