/** A migrated database for the length of a test file, and the stores of its two logins. */
import type pg from 'pg';
import { onTestFinished } from 'vitest';
import { type ManagementStore, openManagementStore } from '../../src/store/management-store.js';
import type { DatabaseOptions } from '../../src/store/pool.js';
import { openProviderStore, type ProviderStore } from '../../src/store/provider-store.js';
import { Teardown } from '../../testbed/teardown.js';
import { createTestDatabase, type TestDatabase, withSession } from './database.js';
import { useStage } from './use-stage.js';

export interface DatabaseOfFile extends TestDatabase {
  /** With the login of `provider_manager`. */
  readonly manager: ManagementStore;
  /** With the login of `provider_resolver`. */
  readonly worker: ProviderStore;
  /** As a superuser, past the functions. */
  query(text: string, values?: readonly unknown[]): Promise<pg.QueryResult>;
}

/** @param create - default: a database on the shared server, reached without a pooler */
export function useDatabase(
  create: (teardown: Teardown) => Promise<TestDatabase> = (teardown) => createTestDatabase(teardown),
  options: Omit<DatabaseOptions, 'databaseUrl'> = {},
): DatabaseOfFile {
  return useStage(async (teardown) => {
    const database = await create(teardown);
    const { ownerUrl, managerUrl, resolverUrl, store } = database;
    const manager = openManagementStore({ databaseUrl: managerUrl, ...store, ...options });
    teardown.defer(() => manager.close());
    const worker = openProviderStore({ databaseUrl: resolverUrl, ...store, ...options });
    teardown.defer(() => worker.close());
    const query: DatabaseOfFile['query'] = (text, values = []) =>
      withSession(ownerUrl, (session) => session.query(text, [...values]));
    return { ...database, manager, worker, query };
  });
}

/** A migrated database for the length of a test. */
export function databaseForTest(): Promise<TestDatabase> {
  const teardown = new Teardown();
  onTestFinished(() => teardown.run());
  return createTestDatabase(teardown);
}
