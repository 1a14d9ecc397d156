/** Whether processes poll a task queue: without them, what is started there waits. */
import type { Client } from '@temporalio/client';
import { lastPollMs } from '../sdk/last-poll.js';

/** Twice as long as a poll lasts. */
const FRESH_MS = 2 * 60_000;

/** @throws the error of Temporal's client */
export async function isPolled(
  { workflowService, options: { namespace } }: Client,
  taskQueue: string,
  kind: Parameters<typeof lastPollMs>[3],
): Promise<boolean> {
  const since = Date.now() - FRESH_MS;
  return (await lastPollMs(workflowService, namespace, taskQueue, kind)) > since;
}
