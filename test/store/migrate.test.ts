import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrate } from '../../src/store/migrate.js';
import { openProviderStore } from '../../src/store/provider-store.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

describe('smoke', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database?.drop());
  it('reads an empty workspace', async () => {
    const store = openProviderStore({ databaseUrl: database.resolverUrl });
    await store.preflight();
    expect(await store.readWorkspace('ws_a')).toEqual({ epoch: 0, dataKeys: [], providers: [] });
    await store.close();
  });
});
