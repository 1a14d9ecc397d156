/**
 * The fence of a rotation. One activity waits until the workers' rows prove it. Meanwhile every worker is asked on its
 * own task queue: that makes the fence fast if a notification does not arrive, and shows which workers answer.
 */
import { CancellationScope, executeChild } from '@temporalio/workflow';
import type { FencedWorker, FenceReport, WorkerAddress } from '../../protocol/rotation.js';
import { CHILD_OPTIONS, inGroups } from '../fan-out.js';
import { FENCE_OPTIONS, onWorker, operation, STORE_OPTIONS } from './proxies.js';

/** A worker's answer, which the fence's table shows until the proof is complete. */
export type WorkerAnswer = Pick<FencedWorker, 'workerId' | 'outcome' | 'afterMs'>;

export interface InvalidateWorkersInput {
  readonly workers: readonly WorkerAddress[];
}

/** @param onReport - called with the table of workers whenever it changes */
export async function fence(onReport: (report: FenceReport) => void): Promise<void> {
  const proof = operation('awaitFence', FENCE_OPTIONS, 'wait until no worker serves the older version')();
  const asking = new CancellationScope();
  // The answers make the fence fast, but only the proof counts: an error here does not matter.
  const asked = asking.run(() => askWorkers(onReport)).catch(() => {});
  try {
    const report = await proof;
    asking.cancel();
    await asked;
    onReport(report);
  } finally {
    asking.cancel();
  }
}

async function askWorkers(onReport: (report: FenceReport) => void): Promise<void> {
  const listed = await operation('listWorkers', STORE_OPTIONS, 'list workers')();
  const live = listed.filter(({ state }) => state === 'live');
  const answers = new Map<string, WorkerAnswer>();
  const startMs = Date.now();
  const show = (arrived: readonly WorkerAnswer[]) => {
    for (const answer of arrived) answers.set(answer.workerId, answer);
    const workers = live.map(({ workerId, identity, taskQueue }): FencedWorker => {
      return { workerId, identity, taskQueue, outcome: 'waiting', afterMs: 0, ...answers.get(workerId) };
    });
    onReport({ epoch: 0, complete: false, tookMs: Date.now() - startMs, workers });
  };
  show([]);
  await inGroups(
    live,
    (workers) => ask(workers, (answer) => show([answer])),
    async (workers) => {
      const staticSummary = `invalidate the caches of ${workers.length} workers`;
      const arrived = await executeChild(invalidateWorkers, { ...CHILD_OPTIONS, staticSummary, args: [{ workers }] });
      show(arrived);
      return arrived;
    },
  );
}

/** Asks workers to drop what changed: as a child workflow, one group of a fleet that is too large for one history. */
export function invalidateWorkers({ workers }: InvalidateWorkersInput): Promise<readonly WorkerAnswer[]> {
  return ask(workers, () => {});
}

/** Returns the answers that arrived. The proof waits for the lease of a worker that does not answer. */
async function ask(
  workers: readonly WorkerAddress[],
  onAnswer: (answer: WorkerAnswer) => void,
): Promise<readonly WorkerAnswer[]> {
  const startMs = Date.now();
  const answers: WorkerAnswer[] = [];
  const questions = workers.map(async ({ workerId, identity, taskQueue }) => {
    await onWorker('invalidateCache', taskQueue, `invalidate · ${identity}`)();
    const answer: WorkerAnswer = { workerId, outcome: 'applied', afterMs: Date.now() - startMs };
    answers.push(answer);
    onAnswer(answer);
  });
  await Promise.allSettled(questions);
  return answers;
}
