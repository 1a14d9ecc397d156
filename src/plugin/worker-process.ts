/**
 * The worker process of this package's workflows and activities, from its config to its end. If its config has a login
 * that may change providers, it runs rotations too. It stops in order: it takes no more tasks, lets running steps end
 * within the grace, and closes everything that it opened.
 */
import { isGrpcServiceError } from '@temporalio/client';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { WorkerConfig } from '../config/worker-config.js';
import { ProviderError } from '../protocol/errors.js';
import { createOperationsWorker, type OperationsWorker } from './operations-worker.js';
import { redactingLogger } from './redacting-activity.js';
import { WorkspaceProviders } from './workspace-providers.js';

/** After the grace, steps are cancelled. A step that ignores the cancellation is abandoned after this time. */
const CANCELLED_STEPS_MS = 10_000;
const GRPC_NOT_FOUND = 5;

export interface WorkerProcess {
  /** Runs until the process receives SIGINT or SIGTERM, then closes everything. */
  run(): Promise<void>;
}

/** @throws ProviderError `StoreUnavailable`, `TemporalUnavailable`, `SetupInvalid` */
export async function createWorkerProcess(config: WorkerConfig): Promise<WorkerProcess> {
  logRedacted();
  const providers = await WorkspaceProviders.open(config.providers);
  let connection: NativeConnection | undefined;
  try {
    connection = await connectTemporal(config);
    // First: it checks its own login, and a connection cannot be closed once a worker was made on it.
    const operations =
      config.operations && (await createOperationsWorker(config.operations, { ...config, connection }));
    const worker = await createWorker(config, connection, providers);
    // Nothing is left that can fail, so no failed start leaves a row behind. When the process reports that it is ready,
    // fences know it.
    await providers.begin();
    return asProcess(worker, operations, connection, providers);
  } catch (error) {
    await providers.close();
    // The SDK refuses it if a worker was made on the connection. What is wrong is the first error.
    await connection?.close().catch(() => {});
    throw error;
  }
}

/** Logs to stderr without secrets, also what Temporal's core logs. */
function logRedacted(): void {
  Runtime.install({
    logger: redactingLogger(new DefaultLogger('INFO')),
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) },
    },
  });
}

function asProcess(
  worker: Worker,
  operations: OperationsWorker | undefined,
  connection: NativeConnection,
  providers: WorkspaceProviders,
): WorkerProcess {
  return {
    async run() {
      try {
        await runTogether(operations ? [worker, operations.worker] : [worker]);
      } finally {
        await operations?.close();
        await providers.close();
        await connection.close();
      }
    },
  };
}

/** If one worker ends, by a signal or an error, the others end too. */
async function runTogether(workers: readonly Worker[]): Promise<void> {
  const end = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const ends = await Promise.allSettled(workers.map((worker) => worker.run().finally(end)));
  for (const ended of ends) if (ended.status === 'rejected') throw ended.reason;
}

function createWorker(
  config: WorkerConfig,
  connection: NativeConnection,
  providers: WorkspaceProviders,
): Promise<Worker> {
  return Worker.create({
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
}

async function connectTemporal({ connection: options, namespace }: WorkerConfig): Promise<NativeConnection> {
  const { address } = options;
  const connection = await NativeConnection.connect(options).catch(() => {
    throw new ProviderError('TemporalUnavailable', `Temporal does not answer at ${address}: check TEMPORAL_ADDRESS`);
  });
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return connection;
  } catch (error) {
    // The SDK would report it only while the worker runs, and would leave its threads behind.
    if (!isNotFound(error)) return connection;
    await connection.close();
    throw new ProviderError(
      'SetupInvalid',
      `Temporal at ${address} does not have the configured namespace: check TEMPORAL_NAMESPACE`,
      { fields: ['TEMPORAL_NAMESPACE'] },
    );
  }
}

function isNotFound(error: unknown): boolean {
  return isGrpcServiceError(error) && error.code === GRPC_NOT_FOUND;
}
