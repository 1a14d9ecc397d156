/**
 * The worker of this process's own task queue, with slots of its own: a process whose other workers are saturated with
 * slow steps still answers a rotation within milliseconds. One a process, however many workers have the plugin.
 */
import type { DataConverter } from '@temporalio/common';
import { type NativeConnection, Worker } from '@temporalio/worker';
import type { OwnQueueActivities } from '../activities/own-queue.js';
import { type GrantPolicy, operatorGuard } from './grant-guard.js';
import { redactingActivity } from './redaction.js';

export interface QueueHost {
  readonly connection?: NativeConnection;
  readonly namespace?: string;
  readonly identity?: string;
  /** As the workflows have it that send the tasks. */
  readonly dataConverter?: DataConverter;
}

/** A drain waits in its slot for steps to end; as many rotations at once are rare. */
const SLOTS = 100;

export class OwnQueue {
  #running: Promise<{ worker: Worker; ended: Promise<void> }> | undefined;
  #users = 0;

  constructor(
    readonly taskQueue: string,
    private readonly activities: OwnQueueActivities,
    private readonly grants: GrantPolicy,
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
      if (this.#users === 0) await this.#stop();
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
      // Without a workflow to be told, a cancelled drain would hold the shutdown up.
      shutdownGraceTime: 0,
    });
    // A failure ends this queue alone: fences go on by the leases, and rotations say that it does not answer.
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
