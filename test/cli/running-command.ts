/** Runs a command that keeps running: waits for its first line on stdout, a JSON document, and stops it on request. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { LOOPBACK_ENV } from '../../testbed/loopback.js';
import { temporalAddress, uniqueName } from '../support/parts.js';
import { CLI } from './run-cli.js';

export interface RunningCommand {
  /** The document that it printed once it was ready. */
  readonly document: Record<string, unknown>;
  /** Its first line, and all that it wrote to stderr. */
  said(): string;
  /** @returns its exit code, or `null` if the signal killed it */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export async function startCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<RunningCommand> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [CLI, ...args], {
    env: {
      ...LOOPBACK_ENV,
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
    ended.then(() => Promise.reject(new Error(`the command ended before it was ready: ${said}`))),
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

export interface Meanwhile {
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** The output to wait for, on stdout or stderr. */
  readonly said: RegExp;
  readonly act: (command: ChildProcess) => unknown;
}

/** Runs a command to its end, and calls `act` once its output matches. */
export async function runMeanwhile(
  args: readonly string[],
  { env, stdin = '', said: pattern, act }: Meanwhile,
): Promise<{ readonly exitCode: number | null; readonly said: string }> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [CLI, ...args], { env: { PATH, HOME, ...LOOPBACK_ENV, ...env } });
  child.stdin.end(stdin);
  let said = '';
  const acted = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        const isFirst = !pattern.test(said);
        said += chunk;
        if (isFirst && pattern.test(said)) Promise.resolve(act(child)).then(() => resolve(), reject);
      });
    }
  });
  await once(child, 'close');
  if (!pattern.test(said)) throw new Error(`the command ended before its output matched ${pattern}: ${said}`);
  await acted;
  return { exitCode: child.exitCode, said };
}
