/**
 * Stops, continues and kills processes from outside. A stopped process continues even if this process is killed: a
 * shell per stopped process reads from a pipe, which the kernel closes when we end. Not for a Postgres backend, which
 * may hold a lock of shared memory while it is stopped, so that the whole cluster hangs.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** $1 is the process id. */
const KEEPER = 'read -r _; kill -s CONT "$1" 2>/dev/null; exit 0';
const POLL_INTERVAL_MS = 2;

/** Stops a process by SIGSTOP. @returns a function that continues it; idempotent, and no error if it is gone */
export async function pause(pid: number): Promise<() => Promise<void>> {
  const keeper = spawn('/bin/sh', ['-c', KEEPER, 'keeper', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // it must outlive this process, so Ctrl-C must not reach it
  });
  const gone = once(keeper, 'exit');
  await once(keeper, 'spawn');
  const resume = async () => {
    keeper.stdin.end();
    await gone;
  };
  try {
    process.kill(pid, 'SIGSTOP');
  } catch (error) {
    await resume();
    throw error;
  }
  return resume;
}

/** Stops a process for `ms`, or until the signal is aborted. */
export async function pauseFor(pid: number, ms: number, signal?: AbortSignal): Promise<void> {
  const resume = await pause(pid);
  try {
    await delay(ms, undefined, { signal }).catch(() => {});
  } finally {
    await resume();
  }
}

/** Kills a child by SIGKILL, even a stopped one. Resolves when it is gone, also if it was gone before. */
export async function kill(pid: number): Promise<void> {
  for (let signal: NodeJS.Signals | 0 = 'SIGKILL'; ; signal = 0) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
      throw error;
    }
    await delay(POLL_INTERVAL_MS);
  }
}
