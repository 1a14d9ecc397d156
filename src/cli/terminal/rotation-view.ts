/** How a rotation is shown while it runs: drawn in place on a terminal, elsewhere a line for each stage that it passes. */
import type { RotationStatus } from '../../protocol/rotation.js';
import { LiveView } from './live-view.js';
import { line, type Output } from './output.js';
import { type StageLine, stagesOf, WAITING } from './rotation-lines.js';

/** So long nobody may answer before that is said. */
export const SILENCE_MS = 5_000;
export const NOBODY =
  'no worker takes rotations: start one with PROVIDER_MANAGER_DATABASE_URL; the rotation waits for it';

export class RotationView {
  #status: RotationStatus | undefined;
  #isSilent = false;
  /** What was told, where lines cannot be drawn again. */
  readonly #told = new Set<string>();
  readonly #live: LiveView | undefined;

  constructor(private readonly output: Output) {
    this.#live = output.isLive ? new LiveView(process.stdout, (frame) => this.#render(frame)) : undefined;
  }

  /** The last that was shown. */
  get status(): RotationStatus | undefined {
    return this.#status;
  }

  show(status: RotationStatus): void {
    this.#status = status;
    this.#isSilent = false;
    if (!this.#live) this.#tellPassed(status);
  }

  /** Nobody has answered for a while. */
  tellSilence(): void {
    if (!this.#isSilent && !this.#live) this.output.note(NOBODY);
    this.#isSilent = true;
  }

  /** @param status - its last */
  end(status: RotationStatus | undefined = this.#status): void {
    if (this.#live)
      this.#live.end(
        status
          ? stagesOf(status)
              .filter(isPassed)
              .map((stage) => lineOf(stage))
          : [],
      );
    else if (status) this.#tellPassed(status);
  }

  #render(frame: string): readonly string[] {
    const stages = this.#status ? stagesOf(this.#status) : [WAITING];
    const lines = stages.map((stage) => lineOf(stage, frame));
    return this.#isSilent ? [...lines, line('unsure', 'nobody', [NOBODY])] : lines;
  }

  #tellPassed(status: RotationStatus): void {
    for (const stage of stagesOf(status).filter((each) => isPassed(each) || each.verb === 'overlapping')) {
      const told = lineOf(stage);
      if (!this.#told.has(told)) this.output.tell(told);
      this.#told.add(told);
    }
  }
}

function isPassed({ mark }: StageLine): boolean {
  return mark !== 'running';
}

function lineOf({ mark, verb, facts }: StageLine, frame?: string): string {
  return line(mark, verb, facts, mark === 'running' ? frame : undefined);
}
