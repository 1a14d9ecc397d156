/** A client with its own database, for one test file. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { ProviderClient, ProviderSummary } from '../../src/management.js';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import { openStage, type Stage } from '../../testbed/stage.js';
import { createStageDatabase, type TestDatabase, withSession } from '../support/database.js';
import { temporalAddress, uniqueName } from '../support/parts.js';
import { useStage } from '../support/use-stage.js';

export const CANARY = 'canary-key-1234567890-a1b2';
export const NEW_CANARY = 'canary-key-0987654321-c3d4';

export interface Management extends Pick<Stage, 'managerWith' | 'workerEnv'> {
  readonly database: TestDatabase;
  readonly client: ProviderClient;
  /** Configures an `llm/anthropic` in a new workspace, with `CANARY` as its key. */
  configured(): Promise<ProviderIdentity>;
  /** The only provider of a workspace. */
  only(workspaceId: string): Promise<ProviderSummary>;
  /** Runs a query as a superuser. */
  query(text: string, values: readonly unknown[]): Promise<Record<string, unknown>[]>;
  /** Runs a statement as a service of the workspace does, with a login that was granted `provider_tenant`. */
  asTenant(workspaceId: string, text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

export const anthropicOf = (workspaceId: string) => ({ workspaceId, type: 'llm', name: 'anthropic' });

export const newRootKey = (id = 'test') => `${id}:${randomBytes(32).toString('base64')}`;

export const manageProviders = (): Management =>
  useStage(async (teardown) => {
    const database = await createStageDatabase(teardown);
    const shared = { database, temporalAddress: temporalAddress(), operator: 'a test', teardown };
    const { manager: client, managerWith, workerEnv } = await openStage(shared);
    return {
      ...{ database, client, managerWith, workerEnv },
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
      asTenant: (workspaceId, text, values = []) =>
        withSession(database.tenantUrl, async (session) => {
          await session.query(`select set_config('app.workspace_id', $1, false)`, [workspaceId]);
          return (await session.query(text, [...values])).rows;
        }),
    };
  });
