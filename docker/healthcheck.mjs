/**
 * Healthy: Temporal has seen this container's worker ask its task queue for work in the last minutes. A process that
 * runs, but polls nothing, is not. Workflow tasks, since a worker busy with steps asks for no more activity tasks.
 * Assumes the worker's default identity, `pid@host`, or `PROVIDER_WORKER_IDENTITY`.
 */
import { hostname } from 'node:os';
import { Connection } from '@temporalio/client';
import { workerConfigFromEnv } from '../dist/config/worker-config.js';

/** A poll waits up to a minute for a task. */
const SEEN_WITHIN_MS = 150_000;
const WORKFLOW_TASKS = 1;

const config = workerConfigFromEnv(process.env);
const connection = await Connection.connect({ ...config.connection, connectTimeout: '5s' });
const { pollers } = await connection.workflowService.describeTaskQueue({
  namespace: config.namespace,
  taskQueue: { name: config.taskQueue },
  taskQueueType: WORKFLOW_TASKS,
});
const own = pollers?.find(({ identity }) =>
  config.identity ? identity === config.identity : identity?.endsWith(`@${hostname()}`),
);
const seenAt = Number(own?.lastAccessTime?.seconds ?? 0) * 1_000;
console.log(own ? `last seen polling at ${new Date(seenAt).toISOString()}` : 'never seen polling');
process.exit(Date.now() - seenAt < SEEN_WITHIN_MS ? 0 : 1);
