/**
 * A worker of this package's own workflows and activities, from its config to its end. Stopping is orderly: it takes
 * no more tasks, lets running steps end within the grace, and closes everything it opened.
 */
import { NativeConnection, Worker } from '@temporalio/worker';
import { ProviderError } from '../protocol/errors.js';
import type { WorkerConfig } from './worker-config.js';
import { workflowSource } from './workflow-source.js';
import { WorkspaceProviders } from './workspace-providers.js';

/** Beyond the grace, steps are cancelled; a step that ignores that is left behind after this time. */
const CANCELLED_STEPS_MS = 10_000;

export interface WorkerProcess {
  /** Works until the process is told to stop (SIGINT, SIGTERM) or `stop` is called; then everything is closed. */
  run(): Promise<void>;
  /** Idempotent; `run` resolves once it is done. */
  stop(): void;
}

/** @throws ProviderError `StoreUnavailable`, `ProviderUnavailable` where Temporal is away, `ProviderConfigInvalid` */
export async function createWorkerProcess(config: WorkerConfig): Promise<WorkerProcess> {
  const providers = await WorkspaceProviders.connect(config.providers);
  let connection: NativeConnection | undefined;
  try {
    connection = await connectTemporal(config);
    const worker = await createWorker(config, connection, providers);
    return inOrder(worker, connection, providers);
  } catch (error) {
    await connection?.close();
    await providers.close();
    throw error;
  }
}

function inOrder(worker: Worker, connection: NativeConnection, providers: WorkspaceProviders): WorkerProcess {
  return {
    async run() {
      try {
        await worker.run();
      } finally {
        await providers.close();
        await connection.close();
      }
    },
    stop() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    },
  };
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
    ...(config.identity !== undefined && { identity: config.identity }),
    maxConcurrentActivityTaskExecutions: config.maxConcurrentSteps,
    shutdownGraceTime: config.shutdownGraceMs,
    shutdownForceTime: config.shutdownGraceMs + CANCELLED_STEPS_MS,
    plugins: [providers.plugin()],
    ...workflowSource(),
  });
}

async function connectTemporal({ connection }: WorkerConfig): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(connection);
  } catch {
    const address = connection.address ?? 'localhost:7233';
    throw new ProviderError('ProviderUnavailable', `Temporal does not answer at ${address}: see TEMPORAL_ADDRESS`);
  }
}
