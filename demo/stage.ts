/** The demo's stage: Postgres with configured workspaces, Temporal, two workers, and a process that runs rotations. */
import { randomUUID } from 'node:crypto';
import { startParts } from '../src/dev/parts.js';
import { startPgBouncer } from '../testbed/pgbouncer.js';
import { openStage, type Stage as SharedStage } from '../testbed/stage.js';
import { behindPooler, migratedDatabase } from '../testbed/stage-database.js';
import type { Teardown } from '../testbed/teardown.js';
import { liveServices } from './live-services.js';
import type { DemoServices } from './services.js';
import { standInServices } from './stand-in-services.js';
import type { DemoTelemetry } from './telemetry.js';
import { type DemoWorker, startWorker } from './workers.js';

export interface Stage extends SharedStage {
  readonly services: DemoServices;
  /** The task queue of the agents. */
  readonly taskQueue: string;
  /** The workers of the agents' steps. */
  readonly workers: readonly DemoWorker[];
  /** `undefined` if the Temporal server has no UI that is known. */
  readonly temporalUiUrl: string | undefined;
}

export interface DemoOptions {
  readonly live: boolean;
  /** Whether workers and client reach Postgres through a PgBouncer in transaction mode. Default: false. */
  readonly pooler?: boolean;
  /** The workers' cache lease, which is how long a fence waits for a worker that is stopped. Default: 4s. */
  readonly lease?: string;
  /** Where spans and metrics go. Default: nowhere. */
  readonly telemetry?: DemoTelemetry | undefined;
  /** Called with a line for each part that has started. */
  readonly tell: (line: string) => void;
}

export async function demoStage(teardown: Teardown, options: DemoOptions): Promise<Stage> {
  const { live, pooler = false, lease = '4s', telemetry, tell } = options;
  const services = live ? liveServices(process.env) : await standInServices(teardown);
  // Never a database of the environment: the demo seals its workspaces with a root key that is lost at its end.
  const { databaseUrl, temporalAddress, temporalUiUrl } = await teardown.use(startParts({ log: tell }));
  tell(`Postgres   ${new URL(databaseUrl).host}`);
  tell(`Temporal   ${temporalAddress}${temporalUiUrl ? `, its UI at ${temporalUiUrl}` : ''}`);
  tell(`Services   ${services.title}`);

  let database = await migratedDatabase(databaseUrl);
  if (pooler) {
    const bouncer = await teardown.use(startPgBouncer({ postgresUrl: databaseUrl, log: tell }));
    database = behindPooler(database, bouncer);
    tell(`PgBouncer  127.0.0.1:${bouncer.port}, in transaction mode`);
  }
  const stage = await openStage({
    ...{ database, temporalAddress, operator: 'the demo', teardown },
    ...(telemetry && { clientInterceptors: telemetry.interceptors }),
  });
  for (const provider of services.providers) await stage.manager.configureProvider(provider);
  const workspaces = [...new Set(services.providers.map(({ workspaceId }) => workspaceId))];
  tell(`Workspaces ${workspaces.join(' and ')}, each with its own keys`);

  const taskQueue = `agents-${randomUUID().slice(0, 8)}`;
  const workerEnv = { ...stage.workerEnv, PROVIDER_CACHE_LEASE: lease, AGENT_TASK_QUEUE: taskQueue };
  // As in docker-compose.yml: the process whose login may change providers runs no steps.
  const operationsEnv = {
    ...workerEnv,
    PROVIDER_TASK_QUEUE: 'operations-no-steps',
    PROVIDER_MANAGER_DATABASE_URL: database.managerUrl,
  };
  const start = async (program: 'agents' | 'operations', identity: string, env: Readonly<Record<string, string>>) =>
    teardown.use(startWorker(program, identity, { ...env, ...(await telemetry?.envOf(identity)) }));
  const [operations, ...workers] = await Promise.all([
    services.rotation && start('operations', 'operations', operationsEnv),
    start('agents', 'agents-1', workerEnv),
    start('agents', 'agents-2', workerEnv),
  ]);
  const named = ({ identity, pid }: DemoWorker) => `${identity} (pid ${pid})`;
  tell(`Workers    ${workers.map(named).join(' and ')}${operations ? `; rotations in ${named(operations)}` : ''}`);
  tell('');
  const secrets = [...services.secrets, ...stage.secrets];
  return { ...stage, services, taskQueue, workers, temporalUiUrl, secrets };
}
