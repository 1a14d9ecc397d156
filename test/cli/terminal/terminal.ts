/** Runs the built command on its own pseudo-terminal. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { it } from 'vitest';
import { CLI, run } from '../run-cli.js';

const TERMINAL = fileURLToPath(new URL('terminal.py', import.meta.url));
const MISSING = spawnSync('python3', ['--version']).status === 0 ? undefined : 'tests on a terminal need Python 3';

export interface TerminalRun {
  readonly exitCode: number;
  /** The output without colors and cursor movements. */
  readonly shown: string;
  readonly raw: string;
}

/** Runs a command, and types `typed` once `question` is shown. */
export async function onTerminal(
  args: readonly string[],
  question: string,
  typed: string,
  env: Readonly<Record<string, string>>,
): Promise<TerminalRun> {
  const command = [TERMINAL, question, typed, process.execPath, CLI, ...args];
  const { stdout } = await run('python3', command, { env: { ...env, TERM: 'xterm' } });
  const { exitCode, shown } = JSON.parse(stdout) as { readonly exitCode: number; readonly shown: string };
  return { exitCode, shown: stripVTControlCharacters(shown), raw: shown };
}

/** Skipped without Python, except in CI, where the test then fails. */
export const itOnTerminal = it.skipIf(MISSING !== undefined && !process.env.CI);
