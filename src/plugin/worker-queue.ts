/**
 * The worker of this process's own task queue. It has its own slots, so a process whose other workers are saturated
 * with slow steps still answers a rotation within milliseconds. One per process, however many workers have the plugin.
 */
import type { DataConverter } from '@temporalio/common';
import { type NativeConnection, Worker } from '@temporalio/worker';
import type { WorkerQueueActivities } from '../activities/worker-queue-activities.js';
import type { GrantPolicy } from '../grants/policy.js';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import type { ConnectedParts } from '../resolver/connect-parts.js';
import { expectNoWorkflows } from '../sdk/internals.js';
import { lastPollMs } from '../sdk/last-poll.js';
import { operatorGuard } from './grant-guard.js';
import { redactingActivity } from './redacting-activity.js';
import { traceContext } from './trace-context.js';

export interface QueueHost {
  readonly connection?: NativeConnection;
  readonly namespace?: string;
  readonly identity?: string;
  /** The data converter of the workflows that send the tasks. */
  readonly dataConverter?: DataConverter;
}

/** A drain occupies its slot until steps end. More rotations at once than this are rare. */
const SLOTS = 100;

/** A poll waits up to a minute for a task. */
const SEEN_WITHIN_MS = 150_000;
const ASK_TIMEOUT_MS = 5_000;

export class WorkerQueue {
  #running: Promise<{ worker: Worker; ended: Promise<void> }> | undefined;
  #users = 0;

  constructor(
    readonly taskQueue: string,
    private readonly activities: WorkerQueueActivities,
    private readonly grants: GrantPolicy,
    private readonly parts: Pick<ConnectedParts, 'begin' | 'isClosed' | 'close' | 'observer'>,
  ) {}

  /** @throws ProviderError `SetupInvalid` if the last worker has ended: another one would serve nobody */
  checkOpen(): void {
    if (!this.parts.isClosed()) return;
    const message =
      'these WorkspaceProviders are closed, as they are when their last worker has ended: ' +
      'call WorkspaceProviders.connect() again, and give the next worker the new plugin';
    throw new ProviderError('SetupInvalid', message, { fields: ['plugins'] });
  }

  /**
   * Holds the lease and serves the queue while the worker runs. With the last worker, it closes the parts of the
   * process.
   *
   * @throws ProviderError `SetupInvalid` if the login may not take a lease; the worker is shut down then
   */
  async during(worker: Worker, run: () => Promise<void>): Promise<void> {
    this.#users += 1;
    try {
      let failure: { readonly error: unknown } | undefined;
      this.#running ??= this.#start(worker.options);
      const started = Promise.all([this.#takeLease(), this.#running]).catch((error: unknown) => {
        failure = { error };
        if (worker.getState() === 'RUNNING') worker.shutdown();
      });
      // Without waiting for the start: a worker that is not running yet can neither be shut down nor hear a signal.
      await run();
      await started;
      if (failure) throw failure.error;
    } finally {
      this.#users -= 1;
      if (this.#users === 0) {
        await this.#stop();
        await this.parts.close();
      }
    }
  }

  /** Whether Temporal has seen this process poll this queue in the last minutes. */
  async isPolled(): Promise<boolean> {
    const running = await this.#running?.catch(() => undefined);
    if (running?.worker.getState() !== 'RUNNING') return false;
    const { connection, namespace = 'default' } = running.worker.options;
    // A connection that the SDK has made itself cannot be asked.
    if (!connection) return true;
    const seenAtMs = await connection
      .withDeadline(Date.now() + ASK_TIMEOUT_MS, () =>
        lastPollMs(connection.workflowService, namespace, this.taskQueue, 'activity'),
      )
      .catch(() => 0);
    return Date.now() - seenAtMs <= SEEN_WITHIN_MS;
  }

  /** While Postgres is away the worker waits for it, as it does later: the first read takes the lease. */
  async #takeLease(): Promise<void> {
    await this.parts.begin().catch((error: unknown) => {
      if (!isProviderError(error) || !error.retryable) throw error;
    });
  }

  async #start({ connection, namespace, identity, dataConverter }: QueueHost) {
    const worker = await Worker.create({
      connection,
      namespace,
      ...(identity !== undefined && { identity }),
      taskQueue: this.taskQueue,
      activities: this.activities,
      dataConverter,
      interceptors: { activity: [traceContext, operatorGuard(this.grants, this.parts.observer), redactingActivity] },
      maxConcurrentActivityTaskExecutions: SLOTS,
      maxConcurrentActivityTaskPolls: 2,
      // With a grace, a cancelled drain whose workflow is gone would delay the shutdown.
      shutdownGraceTime: 0,
    });
    expectNoWorkflows(worker);
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
