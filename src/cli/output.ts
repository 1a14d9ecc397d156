/**
 * What a command says. A result goes to stdout, in lines for a person or with `--json` as one document. An error goes to
 * stderr, or with `--json` to stdout, where the script reads.
 */
import { styleText } from 'node:util';
import { EXIT } from '../protocol/exit-codes.js';
import { classify } from './failure.js';

const MARKS = { ok: ['green', '✔'], bad: ['red', '✖'], unsure: ['yellow', '?'] } as const;
const VERB_WIDTH = 12;

type Mark = keyof typeof MARKS;

export class Output {
  /** What the process ends with where nothing is thrown. */
  exitCode: number = EXIT.ok;

  constructor(readonly json: boolean) {}

  /** @param lines - the same for a person */
  result(document: object, lines: readonly string[]): void {
    process.stdout.write(`${this.json ? JSON.stringify(document) : lines.join('\n')}\n`);
  }

  /** For a person who watches; whoever reads stdout is not disturbed. */
  note(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  /** @returns the exit code */
  failure(error: unknown): number {
    const { failure, exitCode } = classify(error);
    if (this.json) this.result({ error: failure }, []);
    else this.note(`${sign('bad', process.stderr)} ${failure.type}: ${failure.message}`);
    return exitCode;
  }
}

/** `✔ configured  llm/anthropic of ws_acme · version 1 · …a1b2` */
export function line(mark: Mark, verb: string, facts: readonly (string | undefined)[]): string {
  return `${sign(mark, process.stdout)} ${verb.padEnd(VERB_WIDTH)}${facts.filter(Boolean).join(' · ')}`;
}

/** The masked key first, then where it goes: `…a1b2 · api.anthropic.com · model claude-x`. */
export function describeShown({ key, host, ...others }: Readonly<Record<string, string | number>>): string {
  const named = Object.entries(others).map(([name, value]) => `${name} ${value}`);
  return [key, host, ...named].filter((fact) => fact !== undefined).join(' · ');
}

/** Colored where the stream is a terminal that wants it. */
function sign(mark: Mark, stream: NodeJS.WriteStream): string {
  const [color, character] = MARKS[mark];
  return styleText(color, character, { stream });
}
