/** What a fence proved, in words. Times of day are UTC, as in the records. */

import { describeDuration } from '../../config/duration.js';
import type { FencedWorker, FenceReport } from '../../protocol/rotation.js';

/** `3 of 3 workers answered in 18 ms`, `2 of 3 … in 18 ms, 1 did not answer and was waited out (30.3 s)` */
export function describeAnswers({ workers }: FenceReport): string {
  if (workers.length === 0) return 'no worker is running';
  const [applied, gone, waitedOut] = (['applied', 'gone', 'waited-out'] as const).map((outcome) =>
    workers.filter((worker) => worker.outcome === outcome),
  ) as [FencedWorker[], FencedWorker[], FencedWorker[]];
  const answered = `${applied.length} of ${workers.length} ${workers.length === 1 ? 'worker' : 'workers'} answered`;
  return [
    applied.length > 0 ? `${answered} in ${longest(applied)}` : answered,
    gone.length > 0 && `${gone.length} ended`,
    waitedOut.length > 0 &&
      `${waitedOut.length} did not answer and ${waitedOut.length === 1 ? 'was' : 'were'} waited out (${longest(waitedOut)})`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** `1 of 3 has not answered yet: agents-7`; `undefined` if the fence waits for no worker that is known. */
export function describeWait(report: FenceReport | undefined): string | undefined {
  const waiting = report?.workers.filter(({ outcome }) => outcome === 'waiting') ?? [];
  if (!report || waiting.length === 0) return undefined;
  const names = waiting.map(({ identity }) => identity).join(', ');
  const verb = waiting.length === 1 ? 'has' : 'have';
  return `${waiting.length} of ${report.workers.length} ${verb} not answered yet: ${names}`;
}

/** `12:00:03.412 UTC` */
export function timeOfDay(at: Date): string {
  return `${at.toISOString().slice(11, 23)} UTC`;
}

function longest(workers: readonly FencedWorker[]): string {
  return describeDuration(Math.max(...workers.map(({ afterMs }) => afterMs)));
}
