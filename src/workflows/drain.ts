/**
 * Waits until no worker's step holds an older version. A worker is clear once it says so itself, or once its row is gone
 * for good: it deregistered after its last step, or it vanished and the longest that a step may run has passed. Whatever
 * else is known of it, it counts as a holder.
 */
import { ActivityFailure, isCancellation, sleep } from '@temporalio/workflow';
import type { ProviderIdentity } from '../protocol/identity.js';
import type { WorkerAddress } from '../protocol/operations.js';
import type { DrainReport, Holder } from '../protocol/rotation.js';
import { onWorker, operation, STORE_OPTIONS } from './operations.js';

export interface DrainOptions {
  readonly provider: ProviderIdentity;
  /** Older ones are to be let go. */
  readonly version: number;
  readonly limitMs: number;
  /** Called with who still holds one whenever that was asked. */
  readonly onReport: (report: DrainReport) => void;
}

/** The first round only looks; later ones wait at the workers, longer and longer. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

export async function drain({ provider, version, limitMs, onReport }: DrainOptions): Promise<DrainReport> {
  const startMs = Date.now();
  const clear = new Set<string>();
  for (let waitMs = 0; ; waitMs = Math.min(Math.max(waitMs * 2, FIRST_WAIT_MS), LONGEST_WAIT_MS)) {
    const listed = await operation('listWorkers', STORE_OPTIONS, 'who may hold it')();
    const leftMs = Math.max(0, limitMs - (Date.now() - startMs));
    const askMs = Math.min(waitMs, leftMs);
    const asked = listed.filter(({ workerId }) => !clear.has(workerId));
    const holders = (await Promise.all(asked.map((worker) => ask(worker, provider, version, askMs)))).filter(
      (holder) => holder !== undefined,
    );
    for (const { workerId } of asked) {
      if (!holders.some((holder) => holder.workerId === workerId)) clear.add(workerId);
    }
    const report: DrainReport = { drained: holders.length === 0, holders, tookMs: Date.now() - startMs };
    onReport(report);
    if (report.drained || leftMs === 0) return report;
    // Workers that do not answer would be asked without a pause.
    if (holders.every(({ held }) => held.length === 0)) await sleep(Math.min(FIRST_WAIT_MS, leftMs));
  }
}

/** `undefined`: this worker holds none, by its own word. */
async function ask(
  { workerId, identity, taskQueue }: WorkerAddress,
  provider: ProviderIdentity,
  version: number,
  limitMs: number,
): Promise<Holder | undefined> {
  try {
    const { held } = await onWorker(
      'drainProvider',
      taskQueue,
      `holders · ${identity}`,
    )({ provider, version, limitMs });
    return held.length > 0 ? { workerId, identity, held } : undefined;
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return { workerId, identity, held: [] };
  }
}
