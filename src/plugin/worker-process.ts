/**
 * The worker process of this package's workflows and activities, from its config to its end. If its config has a login
 * that may change providers, it runs rotations too. It stops in order: it takes no more tasks, lets running steps end
 * within the grace, and closes everything that it opened.
 */
import { inspect } from 'node:util';
import {
  DefaultLogger,
  type LogEntry,
  type Logger,
  type LogLevel,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import { connectionError, isPermissionDenied, temporalError } from '../config/temporal-errors.js';
import type { WorkerConfig } from '../config/worker-config.js';
import { Observer } from '../observer/observer.js';
import { expectNoWorkflows } from '../sdk/internals.js';
import { jsonLogger, logWarnings } from './json-logger.js';
import { freePort, type MetricsServer, startMetricsServer } from './metrics-server.js';
import { createOperationsWorker, type OperationsWorker } from './operations-worker.js';
import { redactingLogger } from './redacting-activity.js';
import { metricsSource, WorkspaceProviders } from './workspace-providers.js';

/** After the grace, steps are cancelled. A step that ignores the cancellation is abandoned after this time. */
const CANCELLED_STEPS_MS = 10_000;

export interface WorkerProcess {
  /** Runs until the process receives SIGINT or SIGTERM, or until `end` is aborted, then closes everything. */
  run(end?: AbortSignal): Promise<void>;
}

export interface WorkerProcessOptions {
  /** Workflows for the worker of steps. Default: it runs only activities. */
  readonly workflowsPath?: string;
  /** The least severity that is logged. Default: `INFO`. */
  readonly logLevel?: LogLevel;
  /** Whether the log is one JSON object per line. Default: text, in the format of Temporal's SDK. */
  readonly logsJson?: boolean;
  /** What an operator should know: the first lines of the log. Default: nothing. */
  readonly notes?: readonly string[];
}

/** @throws ProviderError `StoreUnavailable`, `TemporalUnavailable`, `SetupInvalid` */
export async function createWorkerProcess(
  config: WorkerConfig,
  { workflowsPath, logLevel = 'INFO', logsJson = false, notes = [] }: WorkerProcessOptions = {},
): Promise<WorkerProcess> {
  const coreAddress = config.metricsAddress === undefined ? undefined : `127.0.0.1:${await freePort()}`;
  const logger = loggerOf(logLevel, logsJson);
  installRuntime(logger, coreAddress);
  for (const note of notes) logger.info(note);
  const observer = new Observer();
  const providers = await WorkspaceProviders.open(config.providers, observer);
  let connection: NativeConnection | undefined;
  let metrics: MetricsServer | undefined;
  let operations: OperationsWorker | undefined;
  try {
    if (config.metricsAddress !== undefined) {
      const source = providers[metricsSource];
      metrics = await startMetricsServer(config.metricsAddress, {
        ...source,
        readMetrics: () => [...source.readMetrics(), ...(operations?.readMetrics() ?? [])],
        coreURL: `http://${coreAddress}/metrics`,
      });
    }
    connection = await connectTemporal(config);
    // First: it checks its own login, and a connection cannot be closed once a worker was made on it.
    operations =
      config.operations && (await createOperationsWorker(config.operations, { ...config, connection, observer }));
    const worker = await createWorker(config, connection, providers, workflowsPath);
    // Nothing is left that can fail, so no failed start leaves a row behind. When the process reports that it is ready,
    // fences know it.
    await providers.begin();
    return asProcess(worker, operations, connection, { providers, metrics });
  } catch (error) {
    await metrics?.close();
    await providers.close();
    // The SDK refuses it if a worker was made on the connection. What is wrong is the first error.
    await connection?.close().catch(() => {});
    throw error;
  }
}

function loggerOf(level: LogLevel, isJson: boolean): Logger {
  if (!isJson) return redactingLogger(new DefaultLogger(level, isColorless() ? writePlain : undefined));
  const logger = redactingLogger(jsonLogger(level));
  logWarnings(logger);
  return logger;
}

/** Logs to stderr without secrets, also what Temporal's core logs. @param coreAddress - where the core serves its metrics */
function installRuntime(logger: Logger, coreAddress: string | undefined): void {
  Runtime.install({
    logger,
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) },
      ...(coreAddress !== undefined && { metrics: { prometheus: { bindAddress: coreAddress } } }),
    },
  });
}

/** https://no-color.org. The SDK's logger has its own rule, which does not include the variable. */
function isColorless(): boolean {
  return Boolean(process.env.NO_COLOR);
}

/** In the format of the SDK's own log. */
function writePlain({ level, timestampNanos, message, meta }: LogEntry): void {
  const at = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  process.stderr.write(`${at} [${level}] ${message}${meta === undefined ? '' : ` ${inspect(meta)}`}\n`);
}

function asProcess(
  worker: Worker,
  operations: OperationsWorker | undefined,
  connection: NativeConnection,
  { providers, metrics }: { readonly providers: WorkspaceProviders; readonly metrics: MetricsServer | undefined },
): WorkerProcess {
  return {
    async run(end) {
      try {
        if (!end?.aborted) await runTogether(operations ? [worker, operations.worker] : [worker], end);
      } finally {
        await metrics?.close();
        await operations?.close();
        await providers.close();
        await connection.close().catch((error) => {
          // The SDK refuses it if a worker on the connection has not run.
          if (!end?.aborted) throw error;
        });
      }
    },
  };
}

/** If one worker ends, by a signal or an error, the others end too. */
async function runTogether(workers: readonly Worker[], end?: AbortSignal): Promise<void> {
  const shutDown = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  end?.addEventListener('abort', shutDown);
  const ends = await Promise.allSettled(workers.map((worker) => worker.run().finally(shutDown)));
  for (const ended of ends) if (ended.status === 'rejected') throw ended.reason;
}

async function createWorker(
  config: WorkerConfig,
  connection: NativeConnection,
  providers: WorkspaceProviders,
  workflowsPath: string | undefined,
): Promise<Worker> {
  const worker = await Worker.create({
    ...(workflowsPath !== undefined && { workflowsPath }),
    connection,
    namespace: config.namespace,
    taskQueue: config.taskQueue,
    ...(config.providers.identity !== undefined && { identity: config.providers.identity }),
    maxConcurrentActivityTaskExecutions: config.maxConcurrentSteps,
    shutdownGraceTime: config.shutdownGraceMs,
    shutdownForceTime: config.shutdownGraceMs + CANCELLED_STEPS_MS,
    plugins: [providers.plugin()],
    dataConverter: config.dataConverter,
  });
  if (workflowsPath === undefined) expectNoWorkflows(worker);
  return worker;
}

async function connectTemporal({ connection: options, namespace }: WorkerConfig): Promise<NativeConnection> {
  const connection = await NativeConnection.connect(options).catch(async (error: unknown) => {
    throw await connectionError(error, options);
  });
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return connection;
  } catch (error) {
    // The SDK would report it only while the worker runs, and would leave its threads behind.
    const refused = isPermissionDenied(error) ? undefined : await temporalError(error, options);
    if (!refused || refused.retryable) return connection;
    await connection.close();
    throw refused;
  }
}
