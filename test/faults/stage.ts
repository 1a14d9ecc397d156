/** What a fault run needs around its workers: a durable Postgres behind a proxy, Temporal on a file, a service. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { RotationClient } from '../../src/client/rotation-client.js';
import { GrantSigner, WorkspaceGrants } from '../../src/client.js';
import { ProviderClient } from '../../src/management.js';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import { createLogin } from '../../src/store/logins.js';
import { migrate } from '../../src/store/migrate.js';
import { newGrantKeys } from '../../testbed/grant-keys.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { type LlmStandIn, startLlmStandIn } from '../../testbed/standins/llm.js';
import { writeWorkflowBundle } from '../support/workflow-bundle.js';
import { apiKeyOf } from './messages.js';
import { type ClockedPostgres, startClockedPostgres } from './parts/clocked-postgres.js';
import { type PostgresProxy, startPostgresProxy } from './parts/postgres-proxy.js';
import { type RestartableTemporal, startRestartableTemporal } from './parts/temporal-restart.js';

export const READERS = ['reader-0', 'reader-1', 'reader-2', 'reader-3'] as const;
export type ReaderName = (typeof READERS)[number];
export type Route = ReaderName | `${ReaderName}-listens` | 'operations';

const WORKSPACES = 20;

const WORKFLOWS_PATH = fileURLToPath(new URL('agent-workflow.js', import.meta.url));

export interface Stage {
  readonly postgres: ClockedPostgres;
  readonly proxy: PostgresProxy<Route>;
  readonly temporal: RestartableTemporal;
  readonly llm: LlmStandIn;
  readonly grants: WorkspaceGrants;
  readonly manager: ProviderClient;
  readonly rotations: RotationClient;
  readonly encryptionKey: string;
  readonly grantKeySet: string;
  /** For logins of their roles, straight to Postgres. */
  readonly resolverUrl: string;
  readonly managerUrl: string;
  /** The agents' workflows, bundled. */
  readonly workflowBundle: string;
  /** Each with an Anthropic key, its first. */
  readonly workspaceIds: readonly string[];
  /** A key that the service takes. */
  admit(workspaceId: string, serial: number): string;
  strike(): Promise<void>;
}

export async function setStage(folder: string): Promise<Stage> {
  const stops: (() => Promise<unknown>)[] = [];
  const strike = async () => {
    for (let next = stops.pop(); next; next = stops.pop()) await next();
  };
  try {
    const [postgres, temporal, workflowBundle] = await Promise.all([
      startClockedPostgres({ dataFolder: join(folder, 'postgres') }),
      startRestartableTemporal(join(folder, 'temporal.db')),
      writeWorkflowBundle(WORKFLOWS_PATH, join(folder, 'agents.js')),
    ]);
    stops.push(postgres.stop, temporal.stop);
    await migrate(postgres.url);
    const [resolverUrl, managerUrl] = [
      await createLogin(postgres.url, 'provider_resolver'),
      await createLogin(postgres.url, 'provider_manager'),
    ];
    const routes: Route[] = [...READERS, ...READERS.map((name): Route => `${name}-listens`), 'operations'];
    const proxy = await startPostgresProxy(postgres.url, routes);
    stops.push(proxy.stop);
    const llm = await startLlmStandIn({ keys: [] });
    stops.push(llm.stop);
    const encryptionKey = `faults:${randomBytes(32).toString('base64')}`;
    const manager = ProviderClient.open({
      database: { databaseUrl: managerUrl, queryTimeoutMs: 5_000 },
      rootKeyring: parseLocalKeyring(encryptionKey),
      egress: LOOPBACK_POLICY,
    });
    stops.push(() => manager.close());
    const connection = await Connection.connect({ address: temporal.address });
    stops.push(() => connection.close());
    const grantKeys = await newGrantKeys();
    const grants = new WorkspaceGrants(new Client({ connection }), new GrantSigner(grantKeys.signingKey));
    const admit = (workspaceId: string, serial: number) => {
      const key = apiKeyOf(workspaceId, serial);
      llm.admit({ provider: 'anthropic', key, owner: workspaceId });
      return key;
    };
    const workspaceIds = Array.from({ length: WORKSPACES }, (_, index) => `ws_${String(index).padStart(2, '0')}`);
    for (const workspaceId of workspaceIds) {
      const config = { baseURL: llm.baseUrls.anthropic.sdk, model: 'claude-sonnet-5-5' };
      const secret = { apiKey: admit(workspaceId, 1) };
      await manager.configureProvider({ workspaceId, type: 'llm', name: 'anthropic', config, secret });
    }
    return {
      ...{ postgres, proxy, temporal, llm, grants, manager, encryptionKey, resolverUrl, managerUrl },
      ...{ workflowBundle, workspaceIds, admit, strike, grantKeySet: grantKeys.keySet },
      rotations: new RotationClient(manager, grants.operatorClient('faults')),
    };
  } catch (error) {
    await strike();
    throw error;
  }
}
