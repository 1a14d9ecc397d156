/**
 * The wait, after a change was committed, until no worker can answer with what was before it: each has applied the
 * change, or its lease has run out by the waiter's own monotonic clock. No wall clock decides anything, the database's
 * neither. Cut short, it is simply begun again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { FencedWorker, FenceOutcome, FenceReport } from '../protocol/rotation.js';
import type { RegisteredWorker, WorkerRegistry } from '../store/ports.js';
import { type Clock, outlasting, systemClock } from './clock.js';

export interface FenceOptions {
  readonly registry: WorkerRegistry;
  /** Of the change, or a later one. Absent: that of every change that was committed before the call. */
  readonly epoch?: number;
  readonly clock?: Pick<Clock, 'monotonicMs'>;
  /** Between two looks, by that clock; one that ends early costs a look. */
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  readonly signal?: AbortSignal;
  /** Called after the first look, and when a worker's outcome changes. */
  readonly onProgress?: (report: FenceReport) => void;
}

const FIRST_POLL_MS = 3;
const LAST_POLL_MS = 100;

/**
 * Returns when no worker serves what was before the epoch.
 *
 * @throws ProviderError `StoreUnavailable`: then nothing is known, begin again
 */
export async function awaitFence(options: FenceOptions): Promise<FenceReport> {
  const { registry, clock = systemClock, sleep = systemSleep, signal, onProgress } = options;
  const epoch = options.epoch ?? (await registry.readEpoch());
  const startMs = clock.monotonicMs();
  const listed = (await registry.listWorkers()).filter(({ state }) => state === 'live');
  // After the answer: a renewal that the list shows may have been sent until then.
  const listedMs = clock.monotonicMs();
  const outcomes = new Map<string, FencedWorker>();
  const report = (): FenceReport => ({
    epoch,
    complete: outcomes.size === listed.length,
    tookMs: elapsed(clock, startMs),
    workers: listed.map((worker) => outcomes.get(worker.workerId) ?? toFenced(worker, 'waiting', 0)),
  });
  let told = -1;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, LAST_POLL_MS)) {
    const present = new Map((await registry.listWorkers()).map((worker) => [worker.workerId, worker]));
    const waitedMs = clock.monotonicMs() - listedMs;
    for (const worker of listed) {
      if (outcomes.has(worker.workerId)) continue;
      const outcome = outcomeOf(present.get(worker.workerId), epoch, waitedMs >= outlasting(worker.leaseMs));
      if (outcome !== 'waiting') outcomes.set(worker.workerId, toFenced(worker, outcome, elapsed(clock, startMs)));
    }
    if (outcomes.size > told) onProgress?.(report());
    told = outcomes.size;
    if (outcomes.size === listed.length) break;
    // Not past the moment when the next lease has run out.
    const leftMs = listed
      .filter(({ workerId }) => !outcomes.has(workerId))
      .map(({ leaseMs }) => outlasting(leaseMs) - waitedMs);
    await sleep(Math.max(1, Math.min(pollMs, ...leftMs)), signal);
  }
  // Their leases have run out, and nobody waits for them again. Those renewed meanwhile are there, and keep theirs.
  const silent = listed.filter(({ workerId }) => outcomes.get(workerId)?.outcome === 'waited-out');
  await registry.markVanished(silent);
  return report();
}

function systemSleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return delay(ms, undefined, { signal });
}

function outcomeOf(present: RegisteredWorker | undefined, epoch: number, isOver: boolean): FenceOutcome {
  // Without a live row there is no lease, and the next one comes with every change there is: it deregistered in order,
  // or a janitor has waited for its lease already.
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
