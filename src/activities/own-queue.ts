/**
 * What a rotation asks of one worker process, on that process's own task queue. Answers are about this process alone,
 * so neither is ever retried on another.
 */
import type { Lease } from '../fence/lease.js';
import type { LeaseKeeper } from '../fence/lease-keeper.js';
import type { DrainAnswer, DrainInput, InvalidateAnswer } from '../protocol/own-queue.js';
import type { OpenScopes } from '../resolver/open-scopes.js';
import { atTheEdge } from './failures.js';
import { alive } from './heartbeat.js';

export interface OwnQueueDependencies {
  readonly lease: Lease;
  readonly keeper: LeaseKeeper;
  readonly scopes: OpenScopes;
}

export function createOwnQueueActivities({ lease, keeper, scopes }: OwnQueueDependencies) {
  return {
    /**
     * Renews the lease, which takes all that was committed before out of the cache, and answers with the epoch that is
     * applied now.
     */
    invalidateCache: (): Promise<InvalidateAnswer> =>
      atTheEdge(async () => {
        await keeper.renew();
        return { appliedEpoch: lease.appliedEpoch };
      }),

    /** Waits until no step of this process holds an older version, or the time is up; tells what is still held. */
    drainProvider: ({ provider, version, limitMs }: DrainInput): Promise<DrainAnswer> =>
      alive(async (cancelled) => {
        const timeout = AbortSignal.timeout(limitMs);
        const signal = AbortSignal.any([cancelled, timeout]);
        await scopes.waitUntilReleased(provider, version, signal).catch((error: unknown) => {
          if (!timeout.aborted || cancelled.aborted) throw error;
        });
        return { held: scopes.heldBelow(provider, version) };
      }),
  };
}

export type OwnQueueActivities = ReturnType<typeof createOwnQueueActivities>;
