/**
 * Files with settings, in the grammar of Node's own `--env-file` (`util.parseEnv`). Node skips what it cannot read; a
 * setting that is skipped would leave a default in force, so such a line is refused here. Messages name the file and
 * the line, and never show what is in it.
 */
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ProviderError } from '../protocol/errors.js';
import { fileProblem } from '../protocol/file-problem.js';
import { hasVariable, setVariable } from './process-hardening.js';
import { rememberOrigin } from './variable-origins.js';

interface Variable {
  readonly value: string;
  /** `worker.env line 3` */
  readonly origin: string;
}

const BLANK = /^\s*(#.*)?$/;
const ASSIGNMENT = /^\s*(?:export )?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*/;
const QUOTES = ['"', "'", '`'];
/** Text that no program that reads such files changes. */
const PLAIN = /^[\w:/@.+=,-]*$/;

/**
 * Adds the variables of files to the environment. A variable that is set already stays as it is; of several files with
 * the same variable, the last one counts.
 *
 * @throws ProviderError `SetupInvalid` that names the file, and the line if there is one
 */
export function loadEnvFiles(paths: readonly string[]): void {
  const variables = new Map<string, Variable>();
  for (const path of paths)
    for (const [name, variable] of parseEnvFile(read(path), path)) variables.set(name, variable);
  for (const [name, { value, origin }] of variables) {
    if (hasVariable(name)) continue;
    setVariable(name, value);
    rememberOrigin(name, origin);
  }
}

/** @param file - its name in messages @throws ProviderError `SetupInvalid` that names the file and the line */
export function parseEnvFile(content: string, file: string): ReadonlyMap<string, Variable> {
  const text = content.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  return new Map(assignments(text.split('\n'), file));
}

/** Formats variables for every program that reads such files, also a shell. @throws TypeError if a value cannot be */
export function formatEnvFile(variables: Readonly<Record<string, string>>): string {
  const lines = Object.entries(variables).map(([name, value]) => {
    if (/['\n\r]/.test(value)) throw new TypeError(`the value of ${name} has a quote or a line break`);
    return `${name}=${PLAIN.test(value) ? value : `'${value}'`}\n`;
  });
  return lines.join('');
}

function* assignments(lines: readonly string[], file: string): Generator<readonly [name: string, Variable]> {
  for (let index = 0; index < lines.length; index += 1) {
    const origin = `${file} line ${index + 1}`;
    const line = lines[index] ?? '';
    if (BLANK.test(line)) continue;
    const [start = '', name] = ASSIGNMENT.exec(line) ?? [];
    if (name === undefined) throw refused(`${origin} is not a setting: it must be NAME=value, or a comment after #`);
    const value = line.slice(start.length);
    const more = quotedLines(value, lines.slice(index + 1), origin);
    const written = [value, ...lines.slice(index + 1, index + 1 + more)].join('\n');
    // One at a time: Node 20 loses variables that follow a blank line and an indented comment.
    yield [name, { value: parseEnv(`${name}=${written}`)[name] ?? '', origin }];
    index += more;
  }
}

/** Returns how many of the following lines belong to a value in quotes. */
function quotedLines(value: string, following: readonly string[], origin: string): number {
  const quote = value[0] ?? '';
  if (!QUOTES.includes(quote)) return 0;
  let rest = value.slice(1);
  for (let count = 0; ; count += 1) {
    const end = rest.indexOf(quote);
    if (end >= 0) {
      if (BLANK.test(rest.slice(end + 1))) return count;
      throw refused(`${origin} has text after the closing quote of its value: remove it, or use another kind of quote`);
    }
    const next = following[count];
    if (next === undefined) throw refused(`${origin} has a quote that is not closed: close it, or use another kind`);
    rest = next;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw refused(`--env-file ${path} names a file that ${fileProblem(error)}`);
  }
}

function refused(message: string): ProviderError {
  return new ProviderError('SetupInvalid', message, { fields: ['--env-file'] });
}
