/** How the activities of rotations are scheduled, each with a line for the Temporal UI. */
import { type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { OperationActivities } from '../../activities/rotation-activities.js';
import type { WorkerQueueActivities } from '../../activities/worker-queue-activities.js';

/** The time after which a killed process is noticed, and another one starts the stage again. */
const HEARTBEAT_TIMEOUT = '5 seconds';

/** A few statements on Postgres. An outage delays a rotation and does not end it. */
export const STORE_OPTIONS = {
  startToCloseTimeout: '20 seconds',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { initialInterval: '200 ms', backoffCoefficient: 2, maximumInterval: '15 seconds' },
} satisfies ActivityOptions;

/** A fence lasts one lease at most, and the database accepts leases of up to a day. */
export const FENCE_OPTIONS = {
  startToCloseTimeout: '25 hours',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { initialInterval: '200 ms', backoffCoefficient: 2, maximumInterval: '5 seconds' },
} satisfies ActivityOptions;

/** One round of a drain, which waits for up to half a minute. */
export const DRAIN_OPTIONS = {
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { initialInterval: '200 ms', backoffCoefficient: 2, maximumInterval: '15 seconds' },
} satisfies ActivityOptions;

/** A call to a service, which may be unavailable for a while. After ten minutes the rotation reports that. */
export const SERVICE_OPTIONS = {
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  scheduleToCloseTimeout: '10 minutes',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
} satisfies ActivityOptions;

/** Asks Temporal about each open rotation, one after the other. Killed, it is begun again from the first. */
export const SWEEP_OPTIONS = {
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '15 seconds' },
} satisfies ActivityOptions;

/** A question to one process about itself. If the process does not take it, it is not asked again. */
const WORKER_OPTIONS = {
  scheduleToStartTimeout: '5 seconds',
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { maximumAttempts: 1 },
} satisfies ActivityOptions;

export function operation<Name extends keyof OperationActivities>(
  name: Name,
  options: ActivityOptions,
  summary: string,
): OperationActivities[Name] {
  return proxyActivities<OperationActivities>({ ...options, summary })[name];
}

/** The activity on the worker's own task queue. */
export function onWorker<Name extends keyof WorkerQueueActivities>(
  name: Name,
  taskQueue: string,
  summary: string,
): WorkerQueueActivities[Name] {
  return proxyActivities<WorkerQueueActivities>({ ...WORKER_OPTIONS, taskQueue, summary })[name];
}
