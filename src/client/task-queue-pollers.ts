/** Whether processes poll a task queue: without them, what is started there waits. */
import type { Client } from '@temporalio/client';

/** A poll lasts a minute, and Temporal lists pollers for five minutes after the last. */
const FRESH_MS = 2 * 60_000;

const TASK_QUEUE_TYPES = { workflow: 1, activity: 2 } as const;

/** @throws the error of Temporal's client */
export async function isPolled(
  { workflowService, options: { namespace } }: Client,
  taskQueue: string,
  kind: keyof typeof TASK_QUEUE_TYPES,
): Promise<boolean> {
  const { pollers } = await workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: TASK_QUEUE_TYPES[kind],
  });
  const since = Date.now() - FRESH_MS;
  return (pollers ?? []).some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 > since);
}
