/**
 * Brings a database to the schema of this build. The files in `schema/` are numbered. Those that the database does not
 * have run in one transaction under a session's advisory lock, so any number of migrators may start at once. They need
 * direct connections, because a pooler in transaction mode has no sessions. Files that have been released are
 * append-only.
 */
import { runner } from 'node-pg-migrate';
import { withAdministrator } from './administrator.js';
import { refuseForeignObjects } from './foreign-objects.js';
import { SCHEMA_FOLDER } from './migration-files.js';

/** The runner would log whole statements, and errors with all their properties. */
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * @param databaseUrl - for a login that owns the database and may create roles; it need not be a superuser
 * @returns the names of the migrations that were applied now
 * @throws ProviderError `SetupInvalid` if the login may not migrate, or if the database has other tables, functions or
 *   roles of the same names; `StoreUnavailable`
 */
export async function migrate(databaseUrl: string): Promise<readonly string[]> {
  // Not the runner's session: it has no error listener, so a lost connection would end the process.
  const applied = await withAdministrator(databaseUrl, async (dbClient) => {
    await refuseForeignObjects(dbClient);
    return runner({
      dbClient,
      dir: SCHEMA_FOLDER,
      direction: 'up',
      migrationsSchema: 'provider_api',
      migrationsTable: 'migrations',
      createMigrationsSchema: true,
      singleTransaction: true,
      advisoryLockMode: 'wait',
      logger: silent,
    });
  });
  return applied.map(({ name }) => name);
}
