/** A client on a database of its own, for the length of a test file. */

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import { readManagerConfig } from '../../src/config/manager-config.js';
import { ProviderClient, type ProviderSummary } from '../../src/management.js';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import { LOOPBACK_ENV } from '../../testbed/loopback.js';
import { createStageDatabase, type TestDatabase, withSession } from '../support/database.js';
import { uniqueName } from '../support/parts.js';

export const CANARY = 'canary-key-1234567890-a1b2';
export const NEW_CANARY = 'canary-key-0987654321-c3d4';

export interface Management {
  readonly database: TestDatabase;
  readonly client: ProviderClient;
  /** Another client of the same database, with another root key. */
  stranger(): ProviderClient;
  /** An `llm/anthropic` of a new workspace, with `CANARY` as its key. */
  configured(): Promise<ProviderIdentity>;
  /** The one provider of a workspace that has one. */
  only(workspaceId: string): Promise<ProviderSummary>;
  /** As a superuser. */
  query(text: string, values: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

export const anthropicOf = (workspaceId: string) => ({ workspaceId, type: 'llm', name: 'anthropic' });

export function manageProviders(): Management {
  let database: TestDatabase;
  let client: ProviderClient;

  beforeAll(async () => {
    database = await createStageDatabase();
    client = open();
  });

  afterAll(async () => {
    await client?.close();
    await database?.drop();
  });

  const open = () =>
    ProviderClient.open(
      readManagerConfig({
        env: {
          ...LOOPBACK_ENV,
          ...database.settings,
          DATABASE_URL: database.managerUrl,
          ENCRYPTION_KEY: `test:${randomBytes(32).toString('base64')}`,
        },
      }),
    );

  return {
    get database() {
      return database;
    },
    get client() {
      return client;
    },
    stranger: open,
    async configured() {
      const identity = anthropicOf(uniqueName('ws'));
      await client.configureProvider({ ...identity, secret: { apiKey: CANARY } });
      return identity;
    },
    async only(workspaceId) {
      const providers = await client.listProviders(workspaceId);
      expect(providers).toHaveLength(1);
      return providers[0] as ProviderSummary;
    },
    query: (text, values) =>
      withSession(database.ownerUrl, async (session) => (await session.query(text, [...values])).rows),
  };
}
