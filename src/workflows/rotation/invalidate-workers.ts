/**
 * The fence within a workflow: one activity waits for what the workers' rows prove, and every worker is asked at its own
 * queue meanwhile, which makes it fast where no notification gets through, and shows who answers.
 */
import { CancellationScope, executeChild } from '@temporalio/workflow';
import type { FencedWorker, FenceReport, WorkerAddress } from '../../protocol/rotation.js';
import { CHILD_OPTIONS, inGroups } from '../fan-out.js';
import { FENCE_OPTIONS, onWorker, operation, STORE_OPTIONS } from './proxies.js';

/** A worker's answer, as the fence's table shows it until the proof is there. */
export type WorkerAnswer = Pick<FencedWorker, 'workerId' | 'outcome' | 'afterMs'>;

export interface InvalidateWorkersInput {
  readonly workers: readonly WorkerAddress[];
}

/** @param onReport - called with the table of workers whenever it changes */
export async function fence(onReport: (report: FenceReport) => void): Promise<void> {
  const proof = operation('awaitFence', FENCE_OPTIONS, 'wait until no worker serves what was before')();
  const asking = new CancellationScope();
  // Answers make it fast; whatever becomes of them, what counts is the proof.
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
  const listed = await operation('listWorkers', STORE_OPTIONS, 'who is there')();
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
      const staticSummary = `${workers.length} workers let go`;
      const arrived = await executeChild(invalidateWorkers, { ...CHILD_OPTIONS, staticSummary, args: [{ workers }] });
      show(arrived);
      return arrived;
    },
  );
}

/** Asks workers to let go of what changed: a rotation's share of a fleet that is too large for one history. */
export function invalidateWorkers({ workers }: InvalidateWorkersInput): Promise<readonly WorkerAnswer[]> {
  return ask(workers, () => {});
}

/** One that does not answer is missing in what this returns: it is waited for by its lease, which the proof does. */
async function ask(
  workers: readonly WorkerAddress[],
  onAnswer: (answer: WorkerAnswer) => void,
): Promise<readonly WorkerAnswer[]> {
  const startMs = Date.now();
  const answers: WorkerAnswer[] = [];
  const questions = workers.map(async ({ workerId, identity, taskQueue }) => {
    await onWorker('invalidateCache', taskQueue, `let go · ${identity}`)();
    const answer: WorkerAnswer = { workerId, outcome: 'applied', afterMs: Date.now() - startMs };
    answers.push(answer);
    onAnswer(answer);
  });
  await Promise.allSettled(questions);
  return answers;
}
