/**
 * The worker of this process's own task queue. It has its own slots, so a process whose other workers are saturated
 * with slow steps still answers a rotation within milliseconds. One per process, however many workers have the plugin.
 */
import type { DataConverter } from '@temporalio/common';
import { type NativeConnection, Worker } from '@temporalio/worker';
import type { WorkerQueueActivities } from '../activities/worker-queue-activities.js';
import type { GrantPolicy } from '../grants/policy.js';
import { operatorGuard } from './grant-guard.js';
import { redactingActivity } from './redacting-activity.js';

export interface QueueHost {
  readonly connection?: NativeConnection;
  readonly namespace?: string;
  readonly identity?: string;
  /** The data converter of the workflows that send the tasks. */
  readonly dataConverter?: DataConverter;
}

/** A drain occupies its slot until steps end. More rotations at once than this are rare. */
const SLOTS = 100;

export class WorkerQueue {
  #running: Promise<{ worker: Worker; ended: Promise<void> }> | undefined;
  #users = 0;

  constructor(
    readonly taskQueue: string,
    private readonly activities: WorkerQueueActivities,
    private readonly grants: GrantPolicy,
    /** Called when the last worker of the process has ended. */
    private readonly whenUnused: () => Promise<void>,
  ) {}

  /** Serves the queue while `run` runs. */
  async during<Result>(host: QueueHost, run: () => Promise<Result>): Promise<Result> {
    this.#users += 1;
    try {
      this.#running ??= this.#start(host);
      await this.#running;
      return await run();
    } finally {
      this.#users -= 1;
      if (this.#users === 0) {
        await this.#stop();
        await this.whenUnused();
      }
    }
  }

  async #start({ connection, namespace, identity, dataConverter }: QueueHost) {
    const worker = await Worker.create({
      connection,
      namespace,
      ...(identity !== undefined && { identity }),
      taskQueue: this.taskQueue,
      activities: this.activities,
      dataConverter,
      interceptors: { activity: [operatorGuard(this.grants), redactingActivity] },
      maxConcurrentActivityTaskExecutions: SLOTS,
      maxConcurrentActivityTaskPolls: 2,
      // With a grace, a cancelled drain whose workflow is gone would delay the shutdown.
      shutdownGraceTime: 0,
    });
    // A failure ends only this queue: fences wait for the lease then, and rotations report that nobody answers.
    const ended = worker.run().catch(() => {});
    return { worker, ended };
  }

  async #stop(): Promise<void> {
    const running = await this.#running?.catch(() => undefined);
    this.#running = undefined;
    if (running?.worker.getState() === 'RUNNING') running.worker.shutdown();
    await running?.ended;
  }
}
