import type { WorkflowService } from '@temporalio/client';

/** `temporal.api.enums.v1.TaskQueueType`. */
const TASK_QUEUE_TYPES = { workflow: 1, activity: 2 } as const;

/**
 * When Temporal last saw a process poll the task queue, in milliseconds since 1970. 0: not in the last five minutes, for
 * which it lists pollers. A poll waits up to a minute for a task.
 *
 * @throws the error of Temporal's client
 */
export async function lastPollMs(
  workflowService: WorkflowService,
  namespace: string,
  taskQueue: string,
  kind: keyof typeof TASK_QUEUE_TYPES,
): Promise<number> {
  const { pollers } = await workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: TASK_QUEUE_TYPES[kind],
  });
  return Math.max(0, ...(pollers ?? []).map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000));
}
