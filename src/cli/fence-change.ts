/**
 * Runs a change of a provider: prints it when it is committed, waits until every worker has it, and prints that too.
 */
import { describeDuration } from '../config/duration.js';
import type { ChangeOptions } from '../management/change-fence.js';
import type { Fenced } from '../management/provider-inputs.js';
import type { FenceReport } from '../protocol/rotation.js';
import { EXIT } from './exit-codes.js';
import { describeAnswers, describeWait, timeOfDay } from './terminal/fence-text.js';
import { interruptible, LiveView } from './terminal/live-view.js';
import { line, type Output } from './terminal/output.js';
import { describeHolders } from './terminal/rotation-lines.js';

export interface Change<Changed extends Fenced> {
  /** Makes the change, with these options. */
  readonly run: (options: ChangeOptions<Changed>) => Promise<Changed>;
  /** What was done, for `--json`; `fence` and `fencedAt` are added. */
  readonly document: (changed: Changed) => object;
  /** What was done, as a line for a person. */
  readonly line: (changed: Changed) => string;
  /** What holds since every worker has the change: `no worker has served it`. */
  readonly fenced: string;
  /** False with `--no-wait`. */
  readonly wait: boolean;
}

/** The option of every command that changes a provider. */
export const NO_WAIT = ['--no-wait', 'do not wait until every worker has the change'] as const;

/** A shorter wait ends before a person notices it. */
const SHOWN_AFTER_MS = 1_000;

/** @throws ProviderError; if the wait failed, its message says that the change was made */
export async function fenceChange<Changed extends Fenced>(output: Output, change: Change<Changed>): Promise<void> {
  const progress = new FenceProgress(output);
  try {
    const changed = await interruptible((signal) =>
      change.run({
        ...(!change.wait && { fence: false }),
        signal,
        onProgress: progress.show,
        onChanged: (written) => {
          output.print(change.line(written));
          if (change.wait) progress.begin();
        },
      }),
    );
    progress.end();
    const { fence } = changed;
    if (!fence) return output.document(change.document(changed));
    if (!fence.complete) {
      output.exitCode = EXIT.interrupted;
      output.print(line('unsure', 'not fenced', ['the change was made, but some workers may not have it yet']));
      return output.document(change.document(changed));
    }
    const fencedAt = new Date();
    const since = `${change.fenced} since ${timeOfDay(fencedAt)}; ${describeAnswers(fence)}`;
    const fact = fence.workers.length > 0 ? since : 'no worker is running';
    const { holders } = changed;
    const lines = [line('ok', 'fenced', [fact])];
    if (holders?.length) lines.push(line('unsure', 'not drained', [describeHolders(holders, 'an older version')]));
    output.result({ ...change.document(changed), fence, fencedAt, ...(holders && { holders }) }, lines);
  } finally {
    progress.end();
  }
}

/** Shows on a terminal which workers the fence waits for. */
class FenceProgress {
  #report: FenceReport | undefined;
  #view: LiveView | undefined;

  constructor(private readonly output: Output) {}

  readonly show = (report: FenceReport): void => {
    this.#report = report;
  };

  begin(): void {
    if (!this.output.isLive) return;
    const startMs = performance.now();
    this.#view = new LiveView(process.stdout, (frame) => {
      const tookMs = performance.now() - startMs;
      if (tookMs < SHOWN_AFTER_MS) return [];
      return [line('running', 'fencing', [describeWait(this.#report), describeDuration(tookMs)], frame)];
    });
  }

  /** Idempotent. */
  end(): void {
    this.#view?.end([]);
    this.#view = undefined;
  }
}
