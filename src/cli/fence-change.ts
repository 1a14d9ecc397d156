/**
 * What follows a change of a provider: it is told, then waited for until every worker has it, and that is told too. The
 * change stands, whatever becomes of the wait.
 */
import type { ProviderClient } from '../client/provider-client.js';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { EXIT } from '../protocol/exit-codes.js';
import type { FenceReport } from '../protocol/rotation.js';
import { describeDuration } from './duration.js';
import { describeAnswers, describeWait, timeOfDay } from './fence-text.js';
import { interruptible } from './interruptible.js';
import { LiveView } from './live-view.js';
import { line, type Output } from './output.js';

export interface Change {
  /** What was done, as `--json` prints it; it gains `fence` and `fencedAt`. */
  readonly document: object;
  /** The same for a person. */
  readonly line: string;
  /** What holds once every worker has it: `no worker serves it`. */
  readonly fenced: string;
  /** False with `--no-wait`. */
  readonly wait: boolean;
}

/** The one option of every command that changes a provider. */
export const NO_WAIT = ['--no-wait', 'do not wait until every worker has it'] as const;

/** Sooner than that nobody looks up. */
const SHOWN_AFTER_MS = 1_000;

/** @throws ProviderError `StoreUnavailable`, saying that the change was made */
export async function fenceChange(client: ProviderClient, output: Output, change: Change): Promise<void> {
  const fence = await interruptible((signal) => {
    output.tell(change.line);
    return change.wait ? awaitFence(client, output, signal) : undefined;
  });
  if (fence) {
    const fencedAt = new Date();
    const since = `${change.fenced} since ${timeOfDay(fencedAt)}; ${describeAnswers(fence)}`;
    const fact = fence.workers.length > 0 ? since : 'no worker is running';
    return output.result({ ...change.document, fence, fencedAt }, [line('ok', 'fenced', [fact])]);
  }
  if (change.wait) {
    output.exitCode = EXIT.interrupted;
    output.tell(line('unsure', 'not fenced', ['the change is made; nobody waited until every worker has it']));
  }
  if (output.json) output.result(change.document, []);
}

/** `undefined`: nobody waited to the end. */
async function awaitFence(
  client: ProviderClient,
  output: Output,
  signal: AbortSignal,
): Promise<FenceReport | undefined> {
  const startMs = performance.now();
  let report: FenceReport | undefined;
  const view = output.isLive
    ? new LiveView(process.stdout, (frame) => {
        const tookMs = performance.now() - startMs;
        if (tookMs < SHOWN_AFTER_MS) return [];
        return [line('running', 'fencing', [describeWait(report), describeDuration(tookMs)], frame)];
      })
    : undefined;
  try {
    const onProgress = (progress: FenceReport) => {
      report = progress;
    };
    return await client.awaitFence({ signal, onProgress });
  } catch (error) {
    if (signal.aborted) return undefined;
    if (!isProviderError(error)) throw error;
    throw new ProviderError(error.type, `the change is made, but not every worker may have it: ${error.message}`);
  } finally {
    view?.end([]);
  }
}
