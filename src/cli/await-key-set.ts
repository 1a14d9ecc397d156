/**
 * Waits until every worker uses the key set that a file has now. Workers read a key set by themselves, and show in their
 * rows which one they use; a worker without a lease serves nothing, so one that stays silent for its lease counts too.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { RegisteredWorker } from '../store/ports.js';

/**
 * `read`: it uses the key set. `no-grants`: it checks none, and serves whoever asks. `silent`: it has no lease any more.
 * `waiting`: it uses another key set.
 */
export type KeySetOutcome = 'read' | 'no-grants' | 'silent' | 'waiting';

export interface KeySetReport {
  /** Whether no worker serves by another key set. */
  readonly complete: boolean;
  readonly revision: string;
  readonly tookMs: number;
  readonly workers: readonly {
    readonly workerId: string;
    readonly identity: string;
    readonly outcome: KeySetOutcome;
  }[];
}

export interface KeySetWait {
  readonly listWorkers: () => Promise<readonly RegisteredWorker[]>;
  /** The revision of the file. Read again each time: a later revocation includes the earlier one. */
  readonly revision: () => Promise<string>;
  readonly limitMs: number;
  readonly signal?: AbortSignal;
}

const POLL_MS = 250;
/** Clocks of two machines may run at rates that differ by 1 %. */
const LEASE_FACTOR = 1.01;

/** @throws ProviderError `StoreUnavailable`, or `SetupInvalid` if the file cannot be read */
export async function awaitKeySet({ listWorkers, revision, limitMs, signal }: KeySetWait): Promise<KeySetReport> {
  const startMs = performance.now();
  const renewed = new Map<string, { readonly renewal: string; readonly atMs: number }>();
  for (;;) {
    const expected = await revision();
    const live = (await listWorkers()).filter(({ state }) => state === 'live');
    const nowMs = performance.now();
    const workers = live.map(({ workerId, identity, renewal, leaseMs, grantKeys }) => {
      const seen = renewed.get(workerId);
      if (seen?.renewal !== renewal) renewed.set(workerId, { renewal, atMs: nowMs });
      const isSilent = seen?.renewal === renewal && nowMs - seen.atMs > leaseMs * LEASE_FACTOR;
      return { workerId, identity, outcome: outcomeOf(grantKeys, expected, isSilent) };
    });
    const complete = workers.every(({ outcome }) => outcome !== 'waiting');
    const tookMs = Math.round(nowMs - startMs);
    if (complete || tookMs >= limitMs || signal?.aborted) return { complete, revision: expected, tookMs, workers };
    await delay(Math.min(POLL_MS, limitMs - tookMs), undefined, { signal }).catch(() => {});
  }
}

function outcomeOf(grantKeys: string, expected: string, isSilent: boolean): KeySetOutcome {
  if (grantKeys === '') return 'no-grants';
  if (grantKeys === expected) return 'read';
  return isSilent ? 'silent' : 'waiting';
}
