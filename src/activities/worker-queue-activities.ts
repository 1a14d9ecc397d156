/**
 * The activity by which a rotation reaches one worker process, on that process's own task queue. An answer is only about
 * this process, so a question is never repeated to another one.
 */
import type { Lease } from '../fence/lease.js';
import type { LeaseKeeper } from '../fence/lease-keeper.js';
import type { InvalidateAnswer } from '../protocol/rotation.js';
import { runActivity } from './run-activity.js';

export interface WorkerQueueDependencies {
  readonly lease: Lease;
  readonly keeper: LeaseKeeper;
}

export function createWorkerQueueActivities({ lease, keeper }: WorkerQueueDependencies) {
  return {
    /**
     * Renews the lease, which drops from the cache what was changed before the call. Returns the epoch that is applied
     * now.
     */
    invalidateCache: (): Promise<InvalidateAnswer> =>
      runActivity(async () => {
        await keeper.renew();
        return { appliedEpoch: lease.appliedEpoch };
      }),
  };
}

export type WorkerQueueActivities = ReturnType<typeof createWorkerQueueActivities>;
