/**
 * The fence. After a change was committed, it waits until no worker can answer with an older version: each worker has
 * applied the change, or its lease has run out by the waiting process's own monotonic clock. No decision depends on a
 * wall clock, not even the database's. A wait that was cut short can be started again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Reporter } from '../observer/observer.js';
import { ProviderError } from '../protocol/errors.js';
import type { FencedWorker, FenceOutcome, FenceReport } from '../protocol/rotation.js';
import type { EpochReading, RegisteredWorker, WorkerRegistry } from '../store/ports.js';
import { type Clock, outlasting, systemClock } from './clock.js';

export interface FenceOptions {
  readonly registry: WorkerRegistry;
  /** The epoch of the change, or a later one. Default: one that covers every change committed before the call. */
  readonly change?: EpochReading;
  readonly clock?: Pick<Clock, 'monotonicMs'>;
  /** Waits between two reads of the registry, by the same clock. If it ends early, that costs one more read. */
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  readonly signal?: AbortSignal;
  /** Called after the first read, and when a worker's outcome changes. */
  readonly onProgress?: (report: FenceReport) => void;
}

/** Reports how a wait ended. @param tookMs - since the change */
export function reportFence(
  observer: Pick<Reporter, 'report'>,
  { complete, workers }: FenceReport,
  tookMs: number,
): void {
  const counts = { applied: 0, gone: 0, 'waited-out': 0, waiting: 0 };
  for (const { outcome } of workers) counts[outcome] += 1;
  observer.report({ what: 'fenced', complete, tookMs, workers: counts });
}

const FIRST_POLL_MS = 3;
const LAST_POLL_MS = 100;

/**
 * Returns when no worker serves a version that is older than the epoch.
 *
 * @throws ProviderError `StoreUnavailable`. Nothing is known then: call it again. It is also thrown if Postgres may have
 *   lost the change during the wait, and while a trigger or policy that the fence relies on is not in force
 */
export async function awaitFence(options: FenceOptions): Promise<FenceReport> {
  const { registry, clock = systemClock, sleep = systemSleep, signal, onProgress } = options;
  const { epoch, lineage } = options.change ?? (await registry.readEpoch());
  const startMs = clock.monotonicMs();
  const listed = (await registry.listWorkers()).filter(({ state }) => state === 'live');
  // Taken after the answer, because a renewal that the list shows may have been sent until then.
  const listedMs = clock.monotonicMs();
  const outcomes = new Map<string, FencedWorker>();
  const report = (): FenceReport => ({
    epoch,
    complete: outcomes.size === listed.length,
    tookMs: elapsed(clock, startMs),
    workers: listed.map((worker) => outcomes.get(worker.workerId) ?? toFenced(worker, 'waiting', 0)),
  });
  let reported = -1;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, LAST_POLL_MS)) {
    const present = new Map((await registry.listWorkers()).map((worker) => [worker.workerId, worker]));
    const waitedMs = clock.monotonicMs() - listedMs;
    for (const worker of listed) {
      if (outcomes.has(worker.workerId)) continue;
      const outcome = outcomeOf(present.get(worker.workerId), epoch, waitedMs >= outlasting(worker.leaseMs));
      if (outcome !== 'waiting') outcomes.set(worker.workerId, toFenced(worker, outcome, elapsed(clock, startMs)));
    }
    if (outcomes.size > reported) onProgress?.(report());
    reported = outcomes.size;
    if (outcomes.size === listed.length) break;
    // Do not sleep past the moment at which the next lease runs out.
    const leftMs = listed
      .filter(({ workerId }) => !outcomes.has(workerId))
      .map(({ leaseMs }) => outlasting(leaseMs) - waitedMs);
    await sleep(Math.max(1, Math.min(pollMs, ...leftMs)), signal);
  }
  // Mark the workers whose leases have run out, so that no later fence waits for them. A worker that has renewed in the
  // meantime is not marked, and keeps its row.
  const silent = listed.filter(({ workerId }) => outcomes.get(workerId)?.outcome === 'waited-out');
  await registry.markVanished(silent);
  requireLineage(lineage, await registry.readEpoch());
  return report();
}

/** @throws ProviderError `StoreUnavailable` if what was read earlier need not hold any more */
export function requireLineage(before: string, now: EpochReading): void {
  if (before === now.lineage) return;
  throw new ProviderError(
    'StoreUnavailable',
    'Postgres was restarted, replaced or restored meanwhile, or its triggers or policies were changed: look whether ' +
      'the change is still there, and wait for the fence again',
  );
}

function systemSleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return delay(ms, undefined, { signal });
}

function outcomeOf(present: RegisteredWorker | undefined, epoch: number, isOver: boolean): FenceOutcome {
  // A worker without a live row has no lease, and gets all changes with its next one. Either it has deregistered, or a
  // janitor has already waited for its lease.
  if (!present) return 'gone';
  if (present.state !== 'live') return 'waited-out';
  if (present.appliedEpoch >= epoch) return 'applied';
  return isOver ? 'waited-out' : 'waiting';
}

function toFenced(
  { workerId, identity, taskQueue }: RegisteredWorker,
  outcome: FenceOutcome,
  afterMs: number,
): FencedWorker {
  return { workerId, identity, taskQueue, outcome, afterMs };
}

function elapsed(clock: Pick<Clock, 'monotonicMs'>, startMs: number): number {
  return Math.round((clock.monotonicMs() - startMs) * 10) / 10;
}
