/**
 * What a command prints. A result goes to stdout: lines for a person, or one document with `--json`. An error goes to
 * stderr, or to stdout with `--json`, because the script reads it there.
 */
import { styleText } from 'node:util';
import { EXIT } from '../exit-codes.js';
import { classify } from '../failure.js';
import { printable, printableJson, printableLines } from './printable.js';

const MARKS = { ok: ['green', '✔'], bad: ['red', '✖'], unsure: ['yellow', '?'], running: ['cyan', '⠹'] } as const;
const VERB_WIDTH = 11;

export type Mark = keyof typeof MARKS;

export class Output {
  /** The exit code of the process if nothing is thrown. */
  exitCode: number = EXIT.ok;

  constructor(readonly json: boolean) {}

  /** Whether a person watches, on a terminal whose lines can be drawn again. */
  get isLive(): boolean {
    return !this.json && process.stdout.isTTY === true && process.env.TERM !== 'dumb';
  }

  /** Prints one line of a result that comes in parts. With `--json`, the whole result is printed at the end. */
  print(text: string): void {
    if (!this.json) process.stdout.write(`${printableLines(text)}\n`);
  }

  /** @param lines - the document's content for a person */
  result(document: object, lines: readonly string[]): void {
    process.stdout.write(`${this.json ? printableJson(document) : printableLines(lines.join('\n'))}\n`);
  }

  /** Prints a result that a person has already seen: only with `--json`. */
  document(document: object): void {
    if (this.json) this.result(document, []);
  }

  /** Prints a note for a person to stderr, where it does not disturb a script that reads stdout. */
  note(text: string): void {
    process.stderr.write(`${printableLines(text)}\n`);
  }

  /**
   * @param document - what to print beside the error
   * @returns the exit code
   */
  failure(error: unknown, document: object = {}): number {
    const { failure, exitCode } = classify(error);
    if (this.json) this.result({ ...document, error: failure }, []);
    else this.note(`${sign('bad', process.stderr)} ${failure.type}: ${failure.message}`);
    return exitCode;
  }
}

/**
 * `✔ configured  llm/anthropic of ws_acme · version 1 · …a1b2`
 *
 * @param character - replaces the mark's character: the spinner while the stage runs
 */
export function line(mark: Mark, verb: string, facts: readonly (string | undefined)[], character?: string): string {
  const text = printable(facts.filter(Boolean).join(' · '));
  return `${sign(mark, process.stdout, character)} ${verb.padEnd(VERB_WIDTH)} ${text}`;
}

/** Lines whose columns are as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => row.map(printable));
  const widths = rows[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** `2026-03-01 12:00 UTC` */
export function minute(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The masked key first, then where it goes: `…a1b2 · api.anthropic.com · model claude-x`. */
export function describeShown({ key, host, ...others }: Readonly<Record<string, string | number>>): string {
  const named = Object.entries(others).map(([name, value]) => `${name} ${value}`);
  return [key, host, ...named].filter((fact) => fact !== undefined).join(' · ');
}

/** The mark, colored if the stream is a terminal that supports it. */
function sign(mark: Mark, stream: NodeJS.WriteStream, character?: string): string {
  const [color, own] = MARKS[mark];
  return styleText(color, character ?? own, { stream });
}
