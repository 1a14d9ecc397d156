/** Shows a rotation while it runs: redrawn in place on a terminal, otherwise one line per stage that has passed. */
import type { RotationStatus } from '../../protocol/rotation.js';
import { LiveView } from './live-view.js';
import { line, type Output } from './output.js';
import { type StageLine, stagesOf, WAITING } from './rotation-lines.js';

/** The time without an answer after which that is reported. */
export const SILENCE_MS = 5_000;
export const NOBODY =
  'no worker runs rotations: start one with PROVIDER_MANAGER_DATABASE_URL; the rotation waits for it';

export class RotationView {
  #status: RotationStatus | undefined;
  #isSilent = false;
  /** The lines that were printed, if they cannot be redrawn. */
  readonly #printed = new Set<string>();
  readonly #live: LiveView | undefined;

  constructor(private readonly output: Output) {
    this.#live = output.isLive ? new LiveView(process.stdout, (frame) => this.#render(frame)) : undefined;
  }

  /** The status that was shown last. */
  get status(): RotationStatus | undefined {
    return this.#status;
  }

  show(status: RotationStatus): void {
    this.#status = status;
    this.#isSilent = false;
    if (!this.#live) this.#printPassed(status);
  }

  /** Reports that no worker has answered for a while. */
  tellSilence(): void {
    if (!this.#isSilent && !this.#live) this.output.note(NOBODY);
    this.#isSilent = true;
  }

  /** @param status - the rotation's last status */
  end(status: RotationStatus | undefined = this.#status): void {
    if (this.#live)
      this.#live.end(
        status
          ? stagesOf(status)
              .filter(isPassed)
              .map((stage) => lineOf(stage))
          : [],
      );
    else if (status) this.#printPassed(status);
  }

  #render(frame: string): readonly string[] {
    const stages = this.#status ? stagesOf(this.#status) : [WAITING];
    const lines = stages.map((stage) => lineOf(stage, frame));
    return this.#isSilent ? [...lines, line('unsure', 'no answer', [NOBODY])] : lines;
  }

  #printPassed(status: RotationStatus): void {
    for (const stage of stagesOf(status).filter((each) => isPassed(each) || each.verb === 'overlapping')) {
      const text = lineOf(stage);
      if (!this.#printed.has(text)) this.output.print(text);
      this.#printed.add(text);
    }
  }
}

function isPassed({ mark }: StageLine): boolean {
  return mark !== 'running';
}

function lineOf({ mark, verb, facts }: StageLine, frame?: string): string {
  return line(mark, verb, facts, mark === 'running' ? frame : undefined);
}
