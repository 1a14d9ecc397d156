/**
 * Waits until no worker's step holds an older version. A worker is clear once it answers that it holds none, or once
 * its row is gone: it deregistered after its last step, or it vanished longer ago than a step may run. In any other
 * case it counts as a holder.
 */
import { ActivityFailure, executeChild, isCancellation, sleep } from '@temporalio/workflow';
import type { ProviderIdentity } from '../../protocol/references.js';
import type { DrainInput, DrainReport, Holder, WorkerAddress } from '../../protocol/rotation.js';
import { CHILD_OPTIONS, inGroups } from '../fan-out.js';
import { onWorker, operation, STORE_OPTIONS } from './proxies.js';

export interface DrainOptions {
  readonly provider: ProviderIdentity;
  /** Steps that hold an older version are waited for. */
  readonly version: number;
  readonly limitMs: number;
  /** Called with the current holders after each round of questions. */
  readonly onReport: (report: DrainReport) => void;
}

export interface DrainWorkersInput {
  readonly workers: readonly WorkerAddress[];
  /** The question to each worker. */
  readonly question: DrainInput;
}

/** The first round does not wait. Later rounds wait at the workers, each longer than the one before, up to a limit. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** @returns true once no older version is held; false if the limit was reached first */
export async function drain({ provider, version, limitMs, onReport }: DrainOptions): Promise<boolean> {
  const startMs = Date.now();
  const clear = new Set<string>();
  for (let waitMs = 0; ; waitMs = Math.min(Math.max(waitMs * 2, FIRST_WAIT_MS), LONGEST_WAIT_MS)) {
    const listed = await operation('listWorkers', STORE_OPTIONS, 'list workers')();
    const leftMs = Math.max(0, limitMs - (Date.now() - startMs));
    const question: DrainInput = { provider, version, limitMs: Math.min(waitMs, leftMs) };
    // After the fence no step can open an older version, so a clear worker stays clear.
    const workers = listed.filter(({ workerId }) => !clear.has(workerId));
    const holders = await holdersAmong(workers, question);
    const holding = new Set(holders.map(({ workerId }) => workerId));
    for (const { workerId } of workers) if (!holding.has(workerId)) clear.add(workerId);
    const drained = holders.length === 0;
    onReport({ drained, holders, tookMs: Date.now() - startMs });
    if (drained || Date.now() - startMs >= limitMs) return drained;
    // Without this pause, workers that do not answer would be asked again and again at once.
    if (holders.every(({ held }) => held.length === 0)) await sleep(Math.min(FIRST_WAIT_MS, leftMs));
  }
}

function holdersAmong(workers: readonly WorkerAddress[], question: DrainInput): Promise<readonly Holder[]> {
  return inGroups(
    workers,
    (few) => drainWorkers({ workers: few, question }),
    (group) => {
      const staticSummary = `drain ${group.length} workers`;
      return executeChild(drainWorkers, { ...CHILD_OPTIONS, staticSummary, args: [{ workers: group, question }] });
    },
  );
}

/** Asks workers what they hold. As a child workflow, it asks one group of a fleet that is too large for one history. */
export async function drainWorkers({ workers, question }: DrainWorkersInput): Promise<readonly Holder[]> {
  const answers = await Promise.all(workers.map((worker) => ask(worker, question)));
  return answers.filter((holder) => holder !== undefined);
}

/** @returns `undefined` if the worker answered that it holds none */
async function ask(
  { workerId, identity, taskQueue }: WorkerAddress,
  question: DrainInput,
): Promise<Holder | undefined> {
  try {
    const { held } = await onWorker('drainProvider', taskQueue, `drain · ${identity}`)(question);
    return held.length > 0 ? { workerId, identity, held } : undefined;
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return { workerId, identity, held: [] };
  }
}
