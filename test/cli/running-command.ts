/** A command that runs on: until its first line on stdout, which is a document, and then until it is told to stop. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { temporalAddress, uniqueName } from '../support/parts.js';
import { CLI } from './run-cli.js';

export interface RunningCommand {
  /** What it printed once it worked. */
  readonly document: Record<string, unknown>;
  /** All that it said. */
  said(): string;
  /** @returns its exit code; `null` where the signal killed it */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export async function startCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<RunningCommand> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [CLI, ...args], {
    env: {
      ...{ PATH, HOME, TEMPORAL_ADDRESS: temporalAddress() },
      ...{ PROVIDER_TASK_QUEUE: uniqueName('cli'), PROVIDER_OPERATIONS_TASK_QUEUE: uniqueName('cli-operations') },
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  const ended = once(child, 'close');
  const [line] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then(() => Promise.reject(new Error(`it ended early: ${said}`))),
  ]);
  return {
    document: JSON.parse(String(line)) as Record<string, unknown>,
    said: () => `${line}${said}`,
    async end(signal) {
      child.kill(signal);
      await ended;
      return child.exitCode;
    },
  };
}

/** Runs until `pattern` was said, on whichever stream; then the signal, and all that it said to its end. */
export async function interruptCommand(
  args: readonly string[],
  { env, stdin = '', pattern, signal }: Interruption,
): Promise<{ readonly exitCode: number | null; readonly said: string }> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [CLI, ...args], { env: { PATH, HOME, ...env } });
  child.stdin.end(stdin);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      const before = said;
      said += chunk;
      if (pattern.test(said) && !pattern.test(before)) child.kill(signal);
    });
  }
  await once(child, 'close');
  return { exitCode: child.exitCode, said };
}

export interface Interruption {
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly pattern: RegExp;
  readonly signal: NodeJS.Signals;
}
