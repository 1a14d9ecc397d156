/**
 * Waits until no worker's step holds an older version. A worker is clear once it says so itself, or once its row is gone
 * for good: it deregistered after its last step, or it vanished and the longest that a step may run has passed. Whatever
 * else is known of it, it counts as a holder.
 */
import { ActivityFailure, executeChild, isCancellation, sleep } from '@temporalio/workflow';
import type { ProviderIdentity } from '../../protocol/references.js';
import type { DrainInput, DrainReport, Holder, WorkerAddress } from '../../protocol/rotation.js';
import { CHILD_OPTIONS, inGroups } from '../fan-out.js';
import { onWorker, operation, STORE_OPTIONS } from './proxies.js';

export interface DrainOptions {
  readonly provider: ProviderIdentity;
  /** Older ones are to be let go. */
  readonly version: number;
  readonly limitMs: number;
  /** Called with who still holds one whenever that was asked. */
  readonly onReport: (report: DrainReport) => void;
}

export interface DrainWorkersInput {
  readonly workers: readonly WorkerAddress[];
  /** What each of them is asked. */
  readonly question: DrainInput;
}

/** The first round only looks; later ones wait at the workers, longer and longer. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** @returns whether none is held any more; false where the limit was reached first */
export async function drain({ provider, version, limitMs, onReport }: DrainOptions): Promise<boolean> {
  const startMs = Date.now();
  const clear = new Set<string>();
  for (let waitMs = 0; ; waitMs = Math.min(Math.max(waitMs * 2, FIRST_WAIT_MS), LONGEST_WAIT_MS)) {
    const listed = await operation('listWorkers', STORE_OPTIONS, 'who may hold it')();
    const leftMs = Math.max(0, limitMs - (Date.now() - startMs));
    const question: DrainInput = { provider, version, limitMs: Math.min(waitMs, leftMs) };
    // After the fence nobody comes to hold an older one: who was clear stays so.
    const workers = listed.filter(({ workerId }) => !clear.has(workerId));
    const holders = await holdersAmong(workers, question);
    const holding = new Set(holders.map(({ workerId }) => workerId));
    for (const { workerId } of workers) if (!holding.has(workerId)) clear.add(workerId);
    const drained = holders.length === 0;
    onReport({ drained, holders, tookMs: Date.now() - startMs });
    if (drained || Date.now() - startMs >= limitMs) return drained;
    // Workers that do not answer would be asked without a pause.
    if (holders.every(({ held }) => held.length === 0)) await sleep(Math.min(FIRST_WAIT_MS, leftMs));
  }
}

function holdersAmong(workers: readonly WorkerAddress[], question: DrainInput): Promise<readonly Holder[]> {
  return inGroups(
    workers,
    (few) => drainWorkers({ workers: few, question }),
    (group) => {
      const staticSummary = `holders among ${group.length} workers`;
      return executeChild(drainWorkers, { ...CHILD_OPTIONS, staticSummary, args: [{ workers: group, question }] });
    },
  );
}

/** Asks workers what they hold: also a rotation's share of a fleet that is too large for one history. */
export async function drainWorkers({ workers, question }: DrainWorkersInput): Promise<readonly Holder[]> {
  const answers = await Promise.all(workers.map((worker) => ask(worker, question)));
  return answers.filter((holder) => holder !== undefined);
}

/** `undefined`: this worker holds none, by its own word. */
async function ask(
  { workerId, identity, taskQueue }: WorkerAddress,
  question: DrainInput,
): Promise<Holder | undefined> {
  try {
    const { held } = await onWorker('drainProvider', taskQueue, `holders · ${identity}`)(question);
    return held.length > 0 ? { workerId, identity, held } : undefined;
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return { workerId, identity, held: [] };
  }
}
