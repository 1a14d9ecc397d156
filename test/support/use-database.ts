/** A migrated database for the length of a test file, and the stores of its two logins. */
import type pg from 'pg';
import { type ManagementStore, openManagementStore } from '../../src/store/management-store.js';
import { openProviderStore, type ProviderStore } from '../../src/store/provider-store.js';
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

/** @param create - default: a database that is reached without a pooler */
export function useDatabase(create: () => Promise<TestDatabase> = createTestDatabase): DatabaseOfFile {
  return useStage(async (onStrike) => {
    const database = await create();
    const { ownerUrl, managerUrl, resolverUrl, store } = database;
    const manager = openManagementStore({ databaseUrl: managerUrl, ...store });
    const worker = openProviderStore({ databaseUrl: resolverUrl, ...store });
    onStrike(database.drop);
    onStrike(() => Promise.all([manager.close(), worker.close()]));
    const query: DatabaseOfFile['query'] = (text, values = []) =>
      withSession(ownerUrl, (session) => session.query(text, [...values]));
    return { ...database, manager, worker, query };
  });
}
