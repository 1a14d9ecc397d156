/**
 * Processes that this one starts, and that never outlive it. Beside each stands a watcher, a shell that reads from a
 * pipe: the kernel closes the pipe when this process ends, however it ends (SIGKILL too), and the watcher then stops
 * the process and removes its folder. So nothing here listens for signals. Rests on a POSIX shell: Linux and macOS.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_INTERVAL_MS = 20;
/** Long enough for a checkpoint on a slow disk; after it the process is killed. The watcher waits as long. */
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

/** An embedded part that cannot be had. The message is meant for a developer at a terminal. */
export class PartUnavailable extends Error {
  override readonly name = 'PartUnavailable';
}

export interface ProcessUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface ProcessOptions {
  /** How messages call it. */
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Takes stdout and stderr, appended; created with mode 0600. */
  readonly logFile: string;
  readonly stopSignal: NodeJS.Signals;
  /** Whom to run as. Absent: whoever we are. */
  readonly user?: ProcessUser | undefined;
  /** Removed where we die before the process does. Absent: none. */
  readonly orphanedFolder?: string | undefined;
  /** The whole environment apart from `PATH` and `HOME`: ours may hold keys, and settings that would change the part's. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunningProcess {
  readonly pid: number;
  /** Ends it, by `signal` or its usual one; kills it after 10 s. Idempotent. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /**
   * Polls until `ready` says so.
   * @throws PartUnavailable where it ends before, or where `timeoutMs` have passed, which ends it
   */
  waitUntil(ready: () => Promise<boolean>, timeoutMs: number): Promise<void>;
  /** Waits for it to end by itself. @throws PartUnavailable unless that is with exit code 0 and within `timeoutMs`. */
  waitForSuccess(timeoutMs: number): Promise<void>;
}

/** @throws PartUnavailable where the command cannot be run. */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { title, logFile, stopSignal } = options;
  const child = await spawnQuietly(options);
  const pid = child.pid as number;
  const watcher = watch(pid, stopSignal, options.orphanedFolder);
  let outcome: string | undefined;
  const ended = once(child, 'exit').then(([code, signal]) => {
    outcome = signal ? `by ${signal}` : `with exit code ${code}`;
    return dismiss(watcher);
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

  /** Polls while it runs. */
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

  return { pid, stop, waitUntil, waitForSuccess };
}

/** In a session of its own, so that Ctrl-C reaches us alone and we stop things in order; unreferenced, so that it keeps nobody. */
async function spawnQuietly({ title, command, args, cwd, logFile, user, env }: ProcessOptions): Promise<ChildProcess> {
  const log = await open(logFile, 'a', 0o600);
  try {
    const child = spawn(command, args, {
      cwd,
      env: { PATH: process.env.PATH, HOME: user ? cwd : process.env.HOME, ...env },
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
      ...(user && { uid: user.uid, gid: user.gid }),
    });
    await once(child, 'spawn');
    child.unref();
    return child;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new PartUnavailable(`${title} could not be started: ${command}: ${reason}`);
  } finally {
    await log.close();
  }
}

function watch(pid: number, signal: NodeJS.Signals, folder = ''): ChildProcess {
  const args = ['-c', WATCHER, 'watcher', String(pid), signal.replace(/^SIG/, ''), folder];
  const watcher = spawn('/bin/sh', args, {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watcher.unref();
  (watcher.stdin as unknown as { unref(): void }).unref();
  return watcher;
}

async function dismiss(watcher: ChildProcess): Promise<void> {
  if (watcher.exitCode !== null || watcher.signalCode !== null) return;
  watcher.ref();
  const gone = once(watcher, 'exit');
  watcher.kill('SIGKILL');
  await gone;
}
