/** Runs the built command as a separate process, as an operator or a script does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { LOOPBACK_ENV } from '../../testbed/loopback.js';

export const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface CliRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** The whole environment, except `PATH` and `HOME`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Piped to stdin. Default: nothing. */
  readonly stdin?: string | Buffer;
}

export function runCli(args: readonly string[], options?: CliOptions): Promise<CliRun> {
  return run(process.execPath, [CLI, ...args], options);
}

export async function run(command: string, args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  if (!existsSync(CLI)) throw new Error('dist/ is not built: npm run build');
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(command, args, { env: { PATH, HOME, ...LOOPBACK_ENV, ...options.env } });
  // The command may end before it has read all its input.
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin ?? '');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { exitCode: child.exitCode, stdout, stderr };
}
