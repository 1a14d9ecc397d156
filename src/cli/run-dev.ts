/**
 * The command `dev`: starts and migrates the parts, and runs a worker in this process. The parts end with this process,
 * however it ends (`dev/processes.ts`), so nothing here listens for signals: the worker stops at SIGINT and SIGTERM.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatEnvFile } from '../config/env-files.js';
import { takeEnvironment } from '../config/process-hardening.js';
import { Settings } from '../config/settings.js';
import { describeWorkerConfig, workerConfigFromEnv } from '../config/worker-config.js';
import { newGrantSettings } from '../dev/grant-settings.js';
import { type Parts, startParts } from '../dev/parts.js';
import { createWorkerProcess } from '../plugin/worker-process.js';
import { parseLocalKeyring } from '../sealing/local-keyring.js';
import { createLogin } from '../store/logins.js';
import { migrate } from '../store/migrate.js';
import { line, type Output } from './terminal/output.js';

export async function runDev(output: Output): Promise<void> {
  const env = new Settings(takeEnvironment()).env;
  const rootKey = rootKeyFrom(env);
  const parts = await startParts({ env, log: (text) => output.note(text) });
  const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-dev-'));
  try {
    await runOn(parts, env, rootKey, join(folder, 'env'), output);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await parts.stop();
  }
}

async function runOn(
  parts: Parts,
  env: NodeJS.ProcessEnv,
  rootKey: string,
  envFile: string,
  output: Output,
): Promise<void> {
  const applied = await migrate(parts.databaseUrl);
  const DATABASE_URL = await createLogin(parts.databaseUrl, 'provider_manager');
  const TEMPORAL_ADDRESS = parts.temporalAddress;
  // A developer's models and nodes are on this machine.
  const PROVIDER_EGRESS_NETWORKS = env.PROVIDER_EGRESS_NETWORKS?.trim() || 'loopback';
  // The environment's keys. If it has none, a key that ends with this process, as most workflows of `dev` do.
  const grants = env.PROVIDER_GRANTS || env.PROVIDER_GRANT_KEYS ? undefined : await newGrantSettings();
  const forCommands = {
    ...{ DATABASE_URL, TEMPORAL_ADDRESS, PROVIDER_EGRESS_NETWORKS, ...grants?.starterEnv },
    ...(!env.ENCRYPTION_KEY && { ENCRYPTION_KEY: rootKey }),
  };
  await writeFile(envFile, formatEnvFile(forCommands), { mode: 0o600 });
  const config = workerConfigFromEnv({
    ...env,
    ...grants?.workerEnv,
    ENCRYPTION_KEY: rootKey,
    TEMPORAL_ADDRESS,
    PROVIDER_EGRESS_NETWORKS,
    DATABASE_URL: await createLogin(parts.databaseUrl, 'provider_resolver'),
    PROVIDER_MANAGER_DATABASE_URL: await createLogin(parts.databaseUrl, 'provider_manager'),
  });
  const worker = await createWorkerProcess(config);

  const { database, ...settings } = describeWorkerConfig(config);
  const { temporalUiUrl } = parts;
  const document = { event: 'ready', pid: process.pid, database, ...settings, temporalUiUrl, envFile };
  output.result(document, [
    line('ok', 'Postgres', [String(database), applied.length > 0 ? `${applied.length} migrations applied` : undefined]),
    line('ok', 'Temporal', [parts.temporalAddress, temporalUiUrl && `its UI at ${temporalUiUrl}`]),
    line('ok', 'worker', [
      `task queue ${config.taskQueue}`,
      `rotations on ${config.operations?.taskQueue}`,
      `namespace ${config.namespace}`,
    ]),
    '',
    'To run the other commands in another terminal:',
    `  set -a; . ${envFile}; set +a`,
    'Ctrl-C stops everything.',
  ]);
  await worker.run();
}

/** A database that outlives this process needs a root key that does too. A temporary database gets a random key. */
function rootKeyFrom({ ENCRYPTION_KEY, DATABASE_URL }: NodeJS.ProcessEnv): string {
  const rootKey = ENCRYPTION_KEY || (DATABASE_URL ? '' : `dev:${randomBytes(32).toString('base64')}`);
  parseLocalKeyring(rootKey);
  return rootKey;
}
