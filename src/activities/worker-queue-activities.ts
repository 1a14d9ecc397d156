/**
 * The activities by which a rotation asks one worker process about itself, on that process's own task queue. An answer
 * is only about this process, so a question is never repeated to another one.
 */
import type { Lease } from '../fence/lease.js';
import type { LeaseKeeper } from '../fence/lease-keeper.js';
import type { DrainAnswer, InvalidateAnswer } from '../protocol/rotation.js';
import type { OpenScopes } from '../resolver/open-scopes.js';
import { drainInput } from './operation-inputs.js';
import { activity, runActivity } from './run-activity.js';

export interface WorkerQueueDependencies {
  readonly lease: Lease;
  readonly keeper: LeaseKeeper;
  readonly scopes: OpenScopes;
}

export function createWorkerQueueActivities({ lease, keeper, scopes }: WorkerQueueDependencies) {
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

    /** Waits until no step of this process holds an older version, or `limitMs` is over. Returns what is still held. */
    drainProvider: activity(
      'drainProvider',
      drainInput,
      async ({ provider, version, limitMs }, cancelled): Promise<DrainAnswer> => {
        const timeout = AbortSignal.timeout(limitMs);
        const signal = AbortSignal.any([cancelled, timeout]);
        await scopes.waitUntilReleased(provider, version, signal).catch((error: unknown) => {
          if (!timeout.aborted || cancelled.aborted) throw error;
        });
        return { held: scopes.heldBelow(provider, version) };
      },
    ),
  };
}

export type WorkerQueueActivities = ReturnType<typeof createWorkerQueueActivities>;
