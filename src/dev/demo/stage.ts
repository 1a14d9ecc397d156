/** What every demo plays on: Postgres with configured workspaces, Temporal, and two workers. */
import { randomBytes, randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { ProviderClient } from '../../client.js';
import { createLogin } from '../../store/logins.js';
import { migrate } from '../../store/migrate.js';
import { startParts } from '../parts.js';
import { liveServices } from './live-services.js';
import type { DemoServices } from './services.js';
import { standInServices } from './stand-in-services.js';
import { type DemoWorker, startWorker } from './workers.js';

export interface Stage {
  readonly services: DemoServices;
  readonly client: Client;
  readonly taskQueue: string;
  readonly workers: readonly DemoWorker[];
  /** What must stand in no history: the services' secrets and the root key. */
  readonly secrets: readonly string[];
  readonly temporalUiUrl: string | undefined;
  /** Ends all that was started, last things first. Idempotent. */
  stop(): Promise<void>;
}

export interface StageOptions {
  readonly live: boolean;
  /** Called with a line for each part that is up. */
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

async function build({ live, tell }: StageOptions, stops: Stops): Promise<Omit<Stage, 'stop'>> {
  const services = live ? liveServices(process.env) : await standInServices();
  stops.push(services.stop);
  // Never a database that the environment names: the demo writes workspaces under a root key that ends with it.
  const parts = await startParts({ env: { ...process.env, DATABASE_URL: undefined, TEMPORAL_ADDRESS: undefined } });
  stops.push(parts.stop);
  const { databaseUrl, temporalAddress, temporalUiUrl } = parts;
  tell(`Postgres   ${new URL(databaseUrl).host}`);
  tell(`Temporal   ${temporalAddress}${temporalUiUrl ? `, its UI at ${temporalUiUrl}` : ''}`);
  tell(`Services   ${services.title}`);

  await migrate(databaseUrl);
  const rootKey = randomBytes(32).toString('base64');
  const ENCRYPTION_KEY = `demo:${rootKey}`;
  const workspaces = await configure(services, {
    DATABASE_URL: await createLogin(databaseUrl, 'provider_manager'),
    ENCRYPTION_KEY,
  });
  tell(`Workspaces ${workspaces.join(' and ')}, each with keys of its own`);

  const taskQueue = `agents-${randomUUID().slice(0, 8)}`;
  const workerEnv = {
    DATABASE_URL: await createLogin(databaseUrl, 'provider_resolver'),
    ENCRYPTION_KEY,
    TEMPORAL_ADDRESS: temporalAddress,
    PROVIDER_TASK_QUEUE: taskQueue,
  };
  const workers: DemoWorker[] = [];
  for (const identity of ['agents-1', 'agents-2']) {
    const worker = await startWorker(identity, workerEnv);
    stops.push(worker.stop);
    workers.push(worker);
  }
  tell(`Workers    ${workers.map(({ identity, pid }) => `${identity} (pid ${pid})`).join(' and ')}\n`);

  const connection = await Connection.connect({ address: temporalAddress });
  stops.push(() => connection.close());
  const secrets = [...services.secrets, rootKey];
  return { services, client: new Client({ connection }), taskQueue, workers, secrets, temporalUiUrl };
}

/** @returns the workspaces that now have providers */
async function configure(services: DemoServices, env: Record<string, string>): Promise<readonly string[]> {
  const client = ProviderClient.fromEnv(env);
  try {
    for (const provider of services.providers) await client.configureProvider(provider);
  } finally {
    await client.close();
  }
  return [...new Set(services.providers.map(({ workspaceId }) => workspaceId))];
}
