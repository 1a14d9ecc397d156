/**
 * The image's health check. Healthy: Temporal has seen this container's process poll its own task queue in the last
 * minutes. Not the queue of the steps: a worker whose step slots are all busy does not poll that one. If the worker of
 * the steps ends, the process ends.
 * Assumes the worker's default identity, `pid@host`, or `PROVIDER_WORKER_IDENTITY`.
 */
import { hostname } from 'node:os';
import { Connection } from '@temporalio/client';
import { workerConfigFromEnv } from '../dist/config/worker-config.js';
import { openProviderStore } from '../dist/store/provider-store.js';

/** A poll waits up to a minute for a task. */
const SEEN_WITHIN_MS = 150_000;
const ACTIVITY_TASKS = 2;
const CONNECT_TIMEOUT_MS = 5_000;

const { providers, connection: temporal, namespace } = workerConfigFromEnv(process.env);
const store = openProviderStore({ ...providers.database, connectTimeoutMs: CONNECT_TIMEOUT_MS });
const isOwn = ({ identity }) =>
  providers.identity === undefined ? identity.endsWith(`@${hostname()}`) : identity === providers.identity;
// A process that was killed in this container may still be listed.
const [own] = (await store.listWorkers()).filter(isOwn).sort((a, b) => b.registeredAt - a.registeredAt);
if (own === undefined) end('the process is not registered in the database');

const connection = await Connection.connect({ ...temporal, connectTimeout: CONNECT_TIMEOUT_MS });
const { pollers } = await connection.workflowService.describeTaskQueue({
  namespace,
  taskQueue: { name: own.taskQueue },
  taskQueueType: ACTIVITY_TASKS,
});
const seenAt = Math.max(
  0,
  ...(pollers ?? []).map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000),
);
if (seenAt === 0) end('Temporal has not seen the process poll its task queue');
if (Date.now() - seenAt > SEEN_WITHIN_MS)
  end(`Temporal last saw the process poll at ${new Date(seenAt).toISOString()}`);
console.log(`healthy: Temporal saw the process poll at ${new Date(seenAt).toISOString()}`);
process.exit(0);

function end(why) {
  console.log(`unhealthy: ${why}`);
  process.exit(1);
}
