/** Checks of Temporal: its address, its namespace, and who polls there. */
import { Client, Connection } from '@temporalio/client';
import { isPolled } from '../client/task-queue-pollers.js';
import type { TemporalConfig } from '../config/temporal-config.js';
import { connectionError, isPermissionDenied, temporalError } from '../config/temporal-errors.js';
import type { RegisteredWorker } from '../store/ports.js';
import { examine, type Finding, fail, ok, type Result, skipped, warn } from './finding.js';
import type { Setup } from './setup.js';

const CONNECT_TIMEOUT = '2s';
/** As many as tell whether workers use this Temporal. */
const WORKERS_ASKED = 20;

/** @param workers - those that hold a lease; `undefined` if no login could list them */
export async function checkTemporal(
  { temporal, operationsTaskQueue, taskQueue }: Setup,
  workers: readonly RegisteredWorker[] | undefined,
): Promise<readonly Finding[]> {
  let connection: Connection | undefined;
  try {
    const address = await examine('temporal', async () => {
      if ('problem' in temporal) return fail(temporal.problem);
      connection = await connect(temporal.value);
      return checkNamespace(connection, temporal.value);
    });
    const client =
      connection && 'value' in temporal && address.every(({ outcome }) => outcome !== 'fail')
        ? new Client({ connection, namespace: temporal.value.namespace })
        : undefined;
    const asking = (ask: (client: Client) => Promise<Result>) => () =>
      client ? explained(ask(client), temporal) : skipped('Temporal could not be asked');
    return [
      ...address,
      ...(await examine(
        'workers poll',
        asking((asked) => checkWorkers(asked, workers)),
      )),
      ...(await examine(
        'steps polled',
        asking((asked) => checkSteps(asked, taskQueue)),
      )),
      ...(await examine(
        'rotations polled',
        asking((asked) => checkOperations(asked, operationsTaskQueue)),
      )),
    ];
  } finally {
    await connection?.close();
  }
}

async function connect({ connection: options }: TemporalConfig): Promise<Connection> {
  return Connection.connect({ ...options, connectTimeout: CONNECT_TIMEOUT }).catch(async (error: unknown) => {
    throw await connectionError(error, options);
  });
}

async function checkNamespace(connection: Connection, { connection: options, namespace }: TemporalConfig) {
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return ok(`${options.address} answers, with the namespace ${namespace}`);
  } catch (error) {
    if (isPermissionDenied(error)) return ok(`${options.address} answers; this caller may not describe its namespace`);
    throw (await temporalError(error, options)) ?? error;
  }
}

async function explained(answer: Promise<Result>, temporal: Setup['temporal']): Promise<Result> {
  try {
    return await answer;
  } catch (error) {
    const known = 'value' in temporal ? await temporalError(error, temporal.value.connection) : undefined;
    if (isPermissionDenied(error)) return skipped('this caller may not describe task queues');
    throw known ?? error;
  }
}

async function checkWorkers(client: Client, workers: readonly RegisteredWorker[] | undefined): Promise<Result> {
  if (!workers) return skipped('no login could list the workers');
  if (workers.length === 0) return skipped('no worker is running');
  const asked = workers.slice(0, WORKERS_ASKED);
  const polled = await Promise.all(asked.map(({ taskQueue }) => isPolled(client, taskQueue, 'activity')));
  const count = polled.filter(Boolean).length;
  if (count > 0) return ok(`${count} of ${asked.length} workers poll here`);
  return fail(
    `${asked.length} workers hold leases, and none polls the namespace ${client.options.namespace} here: they use ` +
      'another Temporal or namespace; compare TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE with theirs',
  );
}

async function checkSteps(client: Client, taskQueue: string | undefined): Promise<Result> {
  if (taskQueue === undefined) {
    return skipped('PROVIDER_TASK_QUEUE is not set: give the task queue of your workers with --task-queue');
  }
  if (await isPolled(client, taskQueue, 'activity')) return ok(`a worker polls ${taskQueue}`);
  return fail(`no worker polls the task queue ${taskQueue}: start one, or correct the name`);
}

async function checkOperations(client: Client, taskQueue: string): Promise<Result> {
  if (await isPolled(client, taskQueue, 'workflow')) return ok(`a worker polls ${taskQueue}`);
  return warn(
    `no process polls the task queue ${taskQueue}, so no rotation would run: start a worker with ` +
      'PROVIDER_MANAGER_DATABASE_URL, or compare PROVIDER_OPERATIONS_TASK_QUEUE',
  );
}
