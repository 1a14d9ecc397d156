/**
 * The command `dev`: starts the servers, sets them up as `init` does, and runs a worker for rotations and for an example.
 * The servers end with this process, however that ends (`dev/processes.ts`). What a killed run leaves otherwise, the
 * next one removes (`dev-folder.ts`).
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { workerConfigFromEnv } from '../../config/worker-config.js';
import { type Parts, startParts } from '../../dev/parts.js';
import { createWorkerProcess, type WorkerProcess } from '../../plugin/worker-process.js';
import { EXIT } from '../exit-codes.js';
import type { Output } from '../terminal/output.js';
import {
  type DevEnvironment,
  extraSettings,
  overriding,
  readEnvironment,
  workerEnvironment,
} from './dev-environment.js';
import { DevFolder } from './dev-folder.js';
import { type DevReport, describeDev, filesOf } from './dev-report.js';
import { setUpDev } from './dev-setup.js';

export interface DevOptions {
  readonly folder: string;
  readonly keep?: boolean;
}

/** Temporal's own; Postgres's is not its usual one, which many machines use already. */
const PORTS = { postgres: 15_432, temporal: 7233, temporalUi: 8233 } as const;
const EXAMPLE_WORKFLOWS = join(__dirname, '../../../examples/ask-model/workflows.js');
/** How long an interrupted start may go on, so that what it has begun is not left half done. */
const SETTLE_MS = 5_000;
const INSTEAD = {
  postgres: 'set DATABASE_URL to the URL of your own Postgres, for a login that may migrate',
  temporal: 'set TEMPORAL_ADDRESS to a server that runs already',
};

interface Started {
  readonly worker: WorkerProcess;
  readonly report: DevReport;
}

export async function runDev({ folder: path, keep: keepsData = false }: DevOptions, output: Output): Promise<void> {
  const interruption = interruptions();
  const environment = readEnvironment(keepsData);
  const note = (text: string) => output.note(text);
  const folder = await DevFolder.claim({ path, keepsData, adminUrl: environment.adminUrl, note });
  let parts: Parts | undefined;
  const starting = async (): Promise<Started> => {
    parts = await startDevParts(environment, folder, note);
    await folder.rememberServers(parts.started);
    interruption.throwIfAborted();
    return start(environment, parts, folder);
  };
  try {
    const started = await unlessInterrupted(starting(), interruption, () => parts !== undefined);
    if (!started) {
      output.exitCode = EXIT.interrupted;
      output.result({ event: 'interrupted' }, ['stopped before it was ready']);
      return;
    }
    output.result(started.report, describeDev(started.report));
    await started.worker.run(interruption);
  } finally {
    await folder
      .dropLogins()
      .catch(() => note('note: the logins of this run could not be dropped: the next run drops them'));
    await parts?.stop();
    await folder.release();
  }
}

/** The first signal ends the run in order, the second one at once. */
function interruptions(): AbortSignal {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interruption.signal.aborted) process.exit(EXIT.interrupted);
      interruption.abort();
    });
  }
  return interruption.signal;
}

/** @returns `undefined` if it was interrupted; a download is not waited for */
async function unlessInterrupted(
  starting: Promise<Started>,
  interruption: AbortSignal,
  mustSettle: () => boolean,
): Promise<Started | undefined> {
  const outcome = starting.then(
    (started) => ({ started }),
    (error: unknown) => ({ error }),
  );
  await Promise.race([outcome, new Promise((resolve) => interruption.addEventListener('abort', resolve))]);
  if (!interruption.aborted) {
    const ended = await outcome;
    if ('error' in ended) throw ended.error;
    return ended.started;
  }
  const settled = mustSettle() ? await Promise.race([outcome, delay(SETTLE_MS)]) : undefined;
  if (settled && 'started' in settled) await settled.started.worker.run(interruption);
  return undefined;
}

function startDevParts({ env, adminUrl }: DevEnvironment, folder: DevFolder, note: (text: string) => void) {
  return startParts({
    databaseUrl: adminUrl,
    temporalAddress: env.TEMPORAL_ADDRESS || undefined,
    dataFolder: folder.dataFolder,
    ports: PORTS,
    namespace: env.TEMPORAL_NAMESPACE || undefined,
    instead: INSTEAD,
    env,
    log: note,
  });
}

async function start({ env, adminUrl, rootKeys }: DevEnvironment, parts: Parts, folder: DevFolder): Promise<Started> {
  const extra = extraSettings(env, parts.temporalAddress);
  const settings = await setUpDev(folder, {
    adminUrl: parts.databaseUrl,
    rootKeys,
    dropsLogins: adminUrl !== undefined && folder.dataFolder === undefined,
    extra,
  });
  const config = workerConfigFromEnv(workerEnvironment(env, settings, extra));
  const worker = await createWorkerProcess(config, { workflowsPath: EXAMPLE_WORKFLOWS, logLevel: 'WARN' });
  const { host, pathname } = new URL(parts.databaseUrl);
  const report: DevReport = {
    event: 'ready',
    pid: process.pid,
    files: filesOf(folder.files.path),
    database: `${host}${pathname}`,
    temporal: parts.temporalAddress,
    temporalUiUrl: parts.temporalUiUrl,
    namespace: config.namespace,
    exampleTaskQueue: config.taskQueue,
    operationsTaskQueue: config.operations?.taskQueue ?? '',
    keepsData: folder.dataFolder !== undefined,
    movedFrom: movedFrom(parts, adminUrl),
    overriding: overriding(env, settings, extra),
  };
  return { worker, report };
}

function movedFrom({ databaseUrl, temporalAddress, temporalUiUrl }: Parts, adminUrl: string | undefined) {
  const servers = [
    adminUrl === undefined && { server: 'Postgres', port: PORTS.postgres, url: databaseUrl },
    temporalUiUrl !== undefined && { server: 'Temporal', port: PORTS.temporal, url: `http://${temporalAddress}` },
    temporalUiUrl !== undefined && { server: "Temporal's UI", port: PORTS.temporalUi, url: temporalUiUrl },
  ];
  return servers
    .filter((server) => server !== false)
    .filter(({ port, url }) => new URL(url).port !== String(port))
    .map(({ server, port }) => ({ server, port }));
}
