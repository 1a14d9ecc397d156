/** The demo's stage: Postgres with configured workspaces, Temporal, two workers, and a process that runs rotations. */
import { randomBytes, randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { RotationClient } from '../src/client/rotation-client.js';
import { GrantSigner, WorkspaceGrants } from '../src/client.js';
import { readManagerConfig } from '../src/config/manager-config.js';
import { newGrantSettings } from '../src/dev/grant-settings.js';
import { startParts } from '../src/dev/parts.js';
import { ProviderClient } from '../src/management.js';
import { createLogin } from '../src/store/logins.js';
import { migrate } from '../src/store/migrate.js';
import type { GrantedRole } from '../src/store/roles.js';
import { startPgBouncer } from '../testbed/pgbouncer.js';
import { liveServices } from './live-services.js';
import type { DemoServices } from './services.js';
import { standInServices } from './stand-in-services.js';
import { type DemoWorker, startWorker } from './workers.js';

export interface Stage {
  readonly services: DemoServices;
  /** Starts agents, each with a grant for its workspace. */
  readonly grants: WorkspaceGrants;
  readonly taskQueue: string;
  /** The workers of the agents' steps. */
  readonly workers: readonly DemoWorker[];
  readonly rotations: RotationClient;
  /** What no history may contain: the services' secrets, the root key, and the key that signs grants. */
  readonly secrets: readonly string[];
  readonly temporalUiUrl: string | undefined;
  /** Stops all that was started, in reverse order. Idempotent. */
  stop(): Promise<void>;
}

export interface StageOptions {
  readonly live: boolean;
  /** Whether workers and client reach Postgres through a PgBouncer in transaction mode. Default: false. */
  readonly pooler?: boolean;
  /** The workers' cache lease, which is how long a fence waits for a worker that is stopped. Default: 4s. */
  readonly lease?: string;
  /** Called with a line for each part that has started. */
  readonly tell: (line: string) => void;
}

type Stops = (() => Promise<unknown>)[];

export async function setStage(options: StageOptions): Promise<Stage> {
  const stops: Stops = [];
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= stopAll(stops);
    return stopping;
  };
  try {
    return { ...(await build(options, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function stopAll(stops: Stops): Promise<void> {
  for (let next = stops.pop(); next; next = stops.pop()) await next();
}

async function build(
  { live, pooler = false, lease = '4s', tell }: StageOptions,
  stops: Stops,
): Promise<Omit<Stage, 'stop'>> {
  const services = live ? liveServices(process.env) : await standInServices();
  stops.push(services.stop);
  // Never a database of the environment: the demo seals its workspaces with a root key that is lost at its end.
  const parts = await startParts({ env: { ...process.env, DATABASE_URL: undefined, TEMPORAL_ADDRESS: undefined } });
  stops.push(parts.stop);
  const { databaseUrl, temporalAddress, temporalUiUrl } = parts;
  tell(`Postgres   ${new URL(databaseUrl).host}`);
  tell(`Temporal   ${temporalAddress}${temporalUiUrl ? `, its UI at ${temporalUiUrl}` : ''}`);
  tell(`Services   ${services.title}`);

  await migrate(databaseUrl);
  const bouncer = pooler ? await startPgBouncer({ postgresUrl: databaseUrl, log: tell }) : undefined;
  if (bouncer) {
    stops.push(bouncer.stop);
    tell(`PgBouncer  127.0.0.1:${bouncer.port}, in transaction mode`);
  }
  const loginOf = async (role: GrantedRole) => {
    const direct = await createLogin(databaseUrl, role);
    return { direct, url: bouncer?.through(direct) ?? direct };
  };
  const rootKey = randomBytes(32).toString('base64');
  const ENCRYPTION_KEY = `demo:${rootKey}`;
  const manager = await loginOf('provider_manager');
  const resolver = await loginOf('provider_resolver');
  const statements = { PROVIDER_PREPARED_STATEMENTS: String(!bouncer) };
  const egress = { PROVIDER_EGRESS_NETWORKS: 'loopback' }; // the stand-ins and the node are there
  const providers = ProviderClient.open(
    readManagerConfig({ env: { DATABASE_URL: manager.url, ENCRYPTION_KEY, ...egress, ...statements } }),
  );
  stops.push(() => providers.close());
  for (const provider of services.providers) await providers.configureProvider(provider);
  const workspaces = [...new Set(services.providers.map(({ workspaceId }) => workspaceId))];
  tell(`Workspaces ${workspaces.join(' and ')}, each with its own keys`);

  const { workerEnv, starterEnv, signingSecret } = await newGrantSettings();
  const taskQueue = `agents-${randomUUID().slice(0, 8)}`;
  const env = {
    DATABASE_URL: resolver.url,
    PROVIDER_LISTEN_DATABASE_URL: resolver.direct,
    ENCRYPTION_KEY,
    TEMPORAL_ADDRESS: temporalAddress,
    ...workerEnv,
    PROVIDER_CACHE_LEASE: lease,
    AGENT_TASK_QUEUE: taskQueue,
    ...egress,
    ...statements,
  };
  const start = async (
    program: 'agents' | 'operations',
    identity: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<DemoWorker> => {
    const worker = await startWorker(program, identity, { ...env, ...more });
    stops.push(worker.stop);
    return worker;
  };
  // As in docker-compose.yml: the process whose login may change providers runs no steps.
  const alone = { PROVIDER_TASK_QUEUE: 'operations-no-steps', PROVIDER_MANAGER_DATABASE_URL: manager.url };
  const [operations, ...workers] = await Promise.all([
    services.rotation && start('operations', 'operations', alone),
    start('agents', 'agents-1'),
    start('agents', 'agents-2'),
  ]);
  const named = ({ identity, pid }: DemoWorker) => `${identity} (pid ${pid})`;
  tell(`Workers    ${workers.map(named).join(' and ')}${operations ? `; rotations in ${named(operations)}` : ''}`);
  tell('');

  const connection = await Connection.connect({ address: temporalAddress });
  stops.push(() => connection.close());
  const grants = new WorkspaceGrants(
    new Client({ connection }),
    new GrantSigner(starterEnv.PROVIDER_GRANT_SIGNING_KEY),
  );
  const rotations = new RotationClient(providers.actingAs('the demo'), grants.operatorClient('demo'));
  const secrets = [...services.secrets, rootKey, signingSecret];
  return { services, grants, taskQueue, workers, rotations, secrets, temporalUiUrl };
}
