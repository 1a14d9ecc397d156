/** What a fault run needs around its workers: a durable Postgres behind a proxy, Temporal on a file, a service. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStage, type Stage as SharedStage } from '../../testbed/stage.js';
import { migratedDatabase } from '../../testbed/stage-database.js';
import { type LlmStandIn, startLlmStandIn } from '../../testbed/standins/llm.js';
import type { Teardown } from '../../testbed/teardown.js';
import { writeWorkflowBundle } from '../support/workflow-bundle.js';
import { apiKeyOf, ownerOf } from './messages.js';
import { type ClockedPostgres, startClockedPostgres } from './parts/clocked-postgres.js';
import { type PostgresProxy, startPostgresProxy } from './parts/postgres-proxy.js';
import { type RestartableTemporal, startRestartableTemporal } from './parts/temporal-restart.js';

export const READERS = ['reader-0', 'reader-1', 'reader-2', 'reader-3'] as const;
export type ReaderName = (typeof READERS)[number];
export type Route = ReaderName | `${ReaderName}-listens` | 'operations';

const ROUTES: readonly Route[] = [...READERS, ...READERS.map((name): Route => `${name}-listens`), 'operations'];
const WORKSPACES = 20;

const WORKFLOWS_PATH = fileURLToPath(new URL('agent-workflow.js', import.meta.url));

export interface Stage extends SharedStage {
  readonly postgres: ClockedPostgres;
  readonly proxy: PostgresProxy<Route>;
  readonly temporal: RestartableTemporal;
  readonly llm: LlmStandIn;
  /** The agents' workflows, bundled. */
  readonly workflowBundle: string;
  /** Each has an Anthropic key, its first. */
  readonly workspaceIds: readonly string[];
  /** Makes the service accept a key, and returns it. */
  admit(workspaceId: string, serial: number): string;
}

export async function faultStage(folder: string, teardown: Teardown): Promise<Stage> {
  const [postgres, temporal, workflowBundle] = await Promise.all([
    teardown.use(startClockedPostgres({ dataFolder: join(folder, 'postgres') })),
    teardown.use(startRestartableTemporal(join(folder, 'temporal.db'))),
    writeWorkflowBundle(WORKFLOWS_PATH, join(folder, 'agents.js')),
  ]);
  // The logins go straight to Postgres. Workers go through the proxy.
  const database = { ...(await migratedDatabase(postgres.url)), store: { queryTimeoutMs: 5_000 } };
  const proxy = await teardown.use(startPostgresProxy(postgres.url, ROUTES));
  const llm = await teardown.use(startLlmStandIn({ keys: [] }));
  const stage = await openStage({ database, temporalAddress: temporal.address, operator: 'faults', teardown });
  const admit = (workspaceId: string, serial: number) => {
    const key = apiKeyOf(workspaceId, serial);
    llm.admit({ provider: 'anthropic', key, owner: ownerOf(workspaceId, serial) });
    return key;
  };
  const workspaceIds = Array.from({ length: WORKSPACES }, (_, index) => `ws_${String(index).padStart(2, '0')}`);
  for (const workspaceId of workspaceIds) {
    const config = { baseURL: llm.baseUrls.anthropic.sdk, model: 'claude-sonnet-5-5' };
    const secret = { apiKey: admit(workspaceId, 1) };
    await stage.manager.configureProvider({ workspaceId, type: 'llm', name: 'anthropic', config, secret });
  }
  return { ...stage, postgres, proxy, temporal, llm, workflowBundle, workspaceIds, admit };
}
