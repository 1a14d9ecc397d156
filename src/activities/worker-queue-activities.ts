/**
 * What a rotation asks of one worker process, on that process's own task queue. Answers are only about this process, so
 * neither question is ever repeated to another one.
 */
import type { Lease } from '../fence/lease.js';
import type { LeaseKeeper } from '../fence/lease-keeper.js';
import type { DrainAnswer, DrainInput, InvalidateAnswer } from '../protocol/rotation.js';
import type { OpenScopes } from '../resolver/open-scopes.js';
import { runActivity, runWithHeartbeat } from './run-activity.js';

export interface WorkerQueueDependencies {
  readonly lease: Lease;
  readonly keeper: LeaseKeeper;
  readonly scopes: OpenScopes;
}

export function createWorkerQueueActivities({ lease, keeper, scopes }: WorkerQueueDependencies) {
  return {
    /**
     * Renews the lease, which drops from the cache everything that was changed before the call, and returns the epoch that
     * is applied now.
     */
    invalidateCache: (): Promise<InvalidateAnswer> =>
      runActivity(async () => {
        await keeper.renew();
        return { appliedEpoch: lease.appliedEpoch };
      }),

    /** Waits until no step of this process holds an older version, or the time is up. Returns what is still held. */
    drainProvider: ({ provider, version, limitMs }: DrainInput): Promise<DrainAnswer> =>
      runWithHeartbeat(async (cancelled) => {
        const timeout = AbortSignal.timeout(limitMs);
        const signal = AbortSignal.any([cancelled, timeout]);
        await scopes.waitUntilReleased(provider, version, signal).catch((error: unknown) => {
          if (!timeout.aborted || cancelled.aborted) throw error;
        });
        return { held: scopes.heldBelow(provider, version) };
      }),
  };
}

export type WorkerQueueActivities = ReturnType<typeof createWorkerQueueActivities>;
