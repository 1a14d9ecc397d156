/**
 * The fence within a workflow: one activity waits for what the workers' rows prove, and every worker is asked at its own
 * queue meanwhile, which makes it fast where no notification gets through, and shows who answers.
 */
import { CancellationScope, executeChild, isCancellation, ParentClosePolicy } from '@temporalio/workflow';
import type { WorkerAddress } from '../protocol/operations.js';
import type { FencedWorker, FenceReport } from '../protocol/rotation.js';
import { FENCE_OPTIONS, onWorker, operation, STORE_OPTIONS } from './operations.js';

/** More questions than these at once would be too much for one workflow's history. */
const WORKERS_A_WORKFLOW = 200;

/** A worker's answer, as the fence's table shows it until the proof is there. */
export type WorkerAnswer = Pick<FencedWorker, 'workerId' | 'outcome' | 'afterMs'>;

export interface InvalidateWorkersInput {
  readonly workers: readonly WorkerAddress[];
}

/** @param onReport - called with the table of workers whenever it changes */
export async function fence(onReport: (report: FenceReport) => void): Promise<FenceReport> {
  const proof = operation('awaitFence', FENCE_OPTIONS, 'wait until no worker serves what was before')();
  const asking = new CancellationScope();
  const asked = asking.run(() => askWorkers(onReport)).catch(ignoreCancellation);
  const report = await proof;
  asking.cancel();
  await asked;
  onReport(report);
  return report;
}

async function askWorkers(onReport: (report: FenceReport) => void): Promise<void> {
  const listed = await operation('listWorkers', STORE_OPTIONS, 'who is there')();
  const workers = listed.filter(({ state }) => state === 'live');
  const answers = new Map<string, WorkerAnswer>();
  const startMs = Date.now();
  const show = (arrived: readonly WorkerAnswer[]) => {
    for (const answer of arrived) answers.set(answer.workerId, answer);
    onReport({
      epoch: 0,
      tookMs: Date.now() - startMs,
      workers: workers.map((worker) => ({
        ...worker,
        outcome: 'waiting',
        afterMs: 0,
        ...answers.get(worker.workerId),
      })),
    });
  };
  show([]);
  if (workers.length <= WORKERS_A_WORKFLOW) return ask(workers, startMs, show);
  const groups = chunks(workers, WORKERS_A_WORKFLOW);
  await Promise.all(
    groups.map(async (group) => {
      const options = { args: [{ workers: group }] as [InvalidateWorkersInput] };
      const parentClosePolicy = ParentClosePolicy.TERMINATE;
      show(await executeChild(invalidateWorkers, { ...options, parentClosePolicy }));
    }),
  );
}

/** Asks workers to let go of what changed: a rotation's share of a fleet that is too large for one history. */
export async function invalidateWorkers({ workers }: InvalidateWorkersInput): Promise<readonly WorkerAnswer[]> {
  const answers: WorkerAnswer[] = [];
  await ask(workers, Date.now(), (arrived) => answers.push(...arrived));
  return answers;
}

async function ask(
  workers: readonly WorkerAddress[],
  startMs: number,
  show: (arrived: readonly WorkerAnswer[]) => void,
): Promise<void> {
  const questions = workers.map(async ({ workerId, identity, taskQueue }) => {
    await onWorker('invalidateCache', taskQueue, `let go · ${identity}`)();
    show([{ workerId, outcome: 'applied', afterMs: Date.now() - startMs }]);
  });
  // One that does not answer is waited for by its lease, which the proof does.
  await Promise.allSettled(questions);
}

function ignoreCancellation(error: unknown): void {
  if (!isCancellation(error)) throw error;
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
