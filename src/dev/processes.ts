/**
 * Child processes that never outlive this process. Each has a watcher, a shell that reads from a pipe. The kernel
 * closes the pipe when this process ends, however it ends (SIGKILL too); the watcher then stops the child and removes
 * its folder. So nothing here listens for signals. It needs a POSIX shell: Linux or macOS.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_INTERVAL_MS = 20;
/** Long enough for a checkpoint on a slow disk. Then the process is killed. The watcher waits as long. */
const STOP_GRACE_MS = 10_000;
const LOG_TAIL_CHARACTERS = 1_500;

/** $1 the process, $2 the signal that stops it, $3 the folder to remove then, or nothing. */
const WATCHER = `
read -r _
kill -s "$2" "$1" 2>/dev/null
tries=0
while [ $tries -lt ${STOP_GRACE_MS / 100} ] && kill -0 "$1" 2>/dev/null; do tries=$((tries + 1)); sleep 0.1; done
kill -s KILL "$1" 2>/dev/null
if [ -n "$3" ]; then rm -rf -- "$3"; fi
`;

/** An embedded part cannot be started. The message is for a developer at a terminal. */
export class PartUnavailable extends Error {
  override readonly name = 'PartUnavailable';
}

export interface ProcessUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface ProcessOptions {
  /** The name of the process in messages. */
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Its working folder, and its home: it must not read or write in the user's home. */
  readonly cwd: string;
  /** The file to which stdout and stderr are appended. It is created with mode 0600. */
  readonly logFile: string;
  readonly stopSignal: NodeJS.Signals;
  /** The user to run as. Default: the current user. */
  readonly user?: ProcessUser | undefined;
  /**
   * Its environment beyond `PATH` and `HOME`. This process's may hold keys, and settings that the part must not get.
   */
  readonly env?: Readonly<Record<string, string>>;
  /** The folder to remove if this process ends before the child. Default: none. */
  readonly orphanedFolder?: string | undefined;
}

export interface RunningProcess {
  readonly pid: number;
  /** Stops it by `signal` (default: `stopSignal`), and kills it after 10 s. Idempotent. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /**
   * Polls until `ready` returns true.
   * @throws PartUnavailable if the process ends first, or is not ready after `timeoutMs`: it is stopped then
   */
  waitUntil(ready: () => Promise<boolean>, timeoutMs: number): Promise<void>;
  /** Waits until it ends by itself. @throws PartUnavailable unless it ends with exit code 0 within `timeoutMs` */
  waitForSuccess(timeoutMs: number): Promise<void>;
}

/** @throws PartUnavailable on Windows */
export function requirePosix(): void {
  if (process.platform === 'win32') {
    throw new PartUnavailable(
      'embedded servers run only on Linux and macOS: use a Postgres and a Temporal that run already',
    );
  }
}

/** @throws PartUnavailable if the command cannot be run */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  requirePosix();
  const { title, logFile, stopSignal } = options;
  const child = spawnApart(options);
  const watcher = watch(child, options);
  let outcome: string | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      outcome = signal ? `by ${signal}` : `with exit code ${code}`;
      resolve(dismiss(watcher));
    });
  });
  await once(child, 'spawn').catch((error) => {
    throw notStarted(options, error);
  });
  let stopping: Promise<void> | undefined;

  async function end(signal: NodeJS.Signals) {
    child.ref();
    child.kill(signal);
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
    await ended;
    clearTimeout(kill);
  }

  async function unavailable(what: string) {
    const log = await readFile(logFile, 'utf8').catch(() => '');
    return new PartUnavailable(`${title} ${what}. Its log ends:\n${log.slice(-LOG_TAIL_CHARACTERS).trim()}`);
  }

  function stop(signal = stopSignal) {
    stopping ??= end(signal);
    return stopping;
  }

  /** Polls while the process runs. */
  async function wait(enough: () => Promise<boolean>, timeoutMs: number) {
    const deadline = performance.now() + timeoutMs;
    while (outcome === undefined && !(await enough())) {
      if (performance.now() > deadline) {
        await stop();
        throw await unavailable(`took more than ${timeoutMs} ms`);
      }
      await delay(POLL_INTERVAL_MS);
    }
  }

  async function waitUntil(ready: () => Promise<boolean>, timeoutMs: number) {
    await wait(ready, timeoutMs);
    if (outcome !== undefined) throw await unavailable(`ended ${outcome} before it was ready`);
  }

  async function waitForSuccess(timeoutMs: number) {
    await wait(async () => false, timeoutMs);
    if (outcome !== 'with exit code 0') throw await unavailable(`ended ${outcome}`);
  }

  return { pid: child.pid as number, stop, waitUntil, waitForSuccess };
}

/**
 * Starts the child in its own session, so that Ctrl-C reaches only this process, which stops its children in order. The
 * child is unreferenced, so it does not keep this process alive.
 */
function spawnApart(options: ProcessOptions): ChildProcess {
  const { command, args, cwd, logFile, user, env } = options;
  const log = openSync(logFile, 'a', 0o600);
  try {
    const child = spawn(command, args, {
      cwd,
      env: { PATH: process.env.PATH, HOME: cwd, ...env },
      stdio: ['ignore', log, log],
      detached: true,
      ...(user && { uid: user.uid, gid: user.gid }),
    });
    child.unref();
    return child;
  } catch (error) {
    throw notStarted(options, error);
  } finally {
    closeSync(log);
  }
}

function notStarted({ title, command }: ProcessOptions, error: unknown): PartUnavailable {
  const { code = 'unknown error' } = error as NodeJS.ErrnoException;
  return new PartUnavailable(`${title} could not be started: ${command}: ${code}`);
}

function watch({ pid }: ChildProcess, { stopSignal, orphanedFolder = '' }: ProcessOptions): ChildProcess | undefined {
  if (pid === undefined) return undefined;
  const args = ['-c', WATCHER, 'watcher', String(pid), stopSignal.replace(/^SIG/, ''), orphanedFolder];
  const watcher = spawn('/bin/sh', args, {
    cwd: '/',
    env: { PATH: process.env.PATH },
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watcher.unref();
  (watcher.stdin as unknown as { unref(): void }).unref();
  return watcher;
}

async function dismiss(watcher: ChildProcess | undefined): Promise<void> {
  if (!watcher || watcher.exitCode !== null || watcher.signalCode !== null) return;
  watcher.ref();
  const gone = once(watcher, 'exit');
  watcher.kill('SIGKILL');
  await gone;
}
