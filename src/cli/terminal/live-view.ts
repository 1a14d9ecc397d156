/** Lines at the end of the terminal that are redrawn in place while something runs. */
import { stripVTControlCharacters } from 'node:util';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
const ERASE_BELOW = '\u001b[J';

export class LiveView {
  readonly #turning: NodeJS.Timeout;
  #frame = 0;
  /** The number of lines to draw over. */
  #drawn = 0;

  /** @param render - returns the current lines; `frame` is the spinner's character, for the line that runs */
  constructor(
    private readonly terminal: NodeJS.WriteStream,
    private readonly render: (frame: string) => readonly string[],
  ) {
    this.#turning = setInterval(() => this.#turn(), FRAME_MS);
  }

  /** Stops, and leaves `lines` in place of what was drawn. */
  end(lines: readonly string[]): void {
    clearInterval(this.#turning);
    this.#draw(lines);
  }

  #turn(): void {
    this.#frame = (this.#frame + 1) % FRAMES.length;
    const { columns = 80, rows = 24 } = this.terminal;
    // A line that wraps, or has scrolled off the top, could not be drawn over.
    this.#draw(
      this.render(FRAMES[this.#frame] ?? '')
        .slice(1 - rows)
        .map((line) => cutTo(line, columns)),
    );
  }

  #draw(lines: readonly string[]): void {
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A\r` : '';
    this.terminal.write(`${up}${ERASE_BELOW}${lines.map((line) => `${line}\n`).join('')}`);
    this.#drawn = lines.length;
  }
}

/** Colors are only at a line's start, so its end can be cut. */
function cutTo(line: string, columns: number): string {
  const excess = stripVTControlCharacters(line).length - (columns - 1);
  return excess > 0 ? `${line.slice(0, -excess - 1)}…` : line;
}

/** Runs a wait that Ctrl-C may end: the work is done or continues elsewhere. A second Ctrl-C ends the process. */
export async function interruptible<Result>(wait: (signal: AbortSignal) => Result | Promise<Result>): Promise<Result> {
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  process.once('SIGINT', interrupt);
  try {
    return await wait(interruption.signal);
  } finally {
    process.off('SIGINT', interrupt);
  }
}
