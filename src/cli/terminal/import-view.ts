/** Shows on a terminal how far an import is. It is on stderr, so that it does not disturb a script that reads stdout. */
import type { ImportProgress } from '../../management/import-providers.js';
import { LiveView } from './live-view.js';
import { line } from './output.js';

/** A shorter import ends before a person notices it. */
const SHOWN_AFTER_MS = 1_000;

export class ImportView {
  #progress: ImportProgress | undefined;
  #view: LiveView | undefined;

  constructor() {
    if (process.stderr.isTTY !== true || process.env.TERM === 'dumb') return;
    const startMs = performance.now();
    this.#view = new LiveView(process.stderr, (frame) =>
      performance.now() - startMs < SHOWN_AFTER_MS ? [] : [line('running', ...describe(this.#progress), frame)],
    );
  }

  readonly show = (progress: ImportProgress): void => {
    this.#progress = progress;
  };

  /** Idempotent. */
  end(): void {
    this.#view?.end([]);
    this.#view = undefined;
  }
}

function describe(progress?: ImportProgress): [verb: string, facts: string[]] {
  if (!progress) return ['reading', []];
  const { stage, done, total } = progress;
  const count = done.toLocaleString('en');
  return stage === 'checking'
    ? ['checking', [`${count} providers`]]
    : ['importing', [`${count} of ${total?.toLocaleString('en')}`]];
}
