/** A migrated database for the length of a test file, and the stores of its two logins. */
import type pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { type ManagementStore, openManagementStore } from '../../src/store/management-store.js';
import { openProviderStore, type ProviderStore } from '../../src/store/provider-store.js';
import { createTestDatabase, type TestDatabase, withSession } from './database.js';

/** Its URLs are known when the first test begins. */
export interface DatabaseOfFile extends Omit<TestDatabase, 'drop'> {
  /** With the login of `provider_manager`. */
  readonly manager: ManagementStore;
  /** With the login of `provider_resolver`. */
  readonly worker: ProviderStore;
  /** As a superuser, past the functions. */
  query(text: string, values?: readonly unknown[]): Promise<pg.QueryResult>;
}

/** @param create - default: a database that is reached without a pooler */
export function useDatabase(create: () => Promise<TestDatabase> = createTestDatabase): DatabaseOfFile {
  let database: TestDatabase;
  const opened: { manager?: ManagementStore; worker?: ProviderStore } = {};
  const used = {
    get manager() {
      opened.manager ??= openManagementStore({ databaseUrl: database.managerUrl, ...database.store });
      return opened.manager;
    },
    get worker() {
      opened.worker ??= openProviderStore({ databaseUrl: database.resolverUrl, ...database.store });
      return opened.worker;
    },
    query: (text, values = []) => withSession(database.ownerUrl, (session) => session.query(text, [...values])),
  } as DatabaseOfFile;

  beforeAll(async () => {
    database = await create();
    const { drop: _, ...urls } = database;
    Object.assign(used, urls);
  });
  afterAll(async () => {
    await Promise.all([opened.manager?.close(), opened.worker?.close()]);
    await database?.drop();
  });
  return used;
}
