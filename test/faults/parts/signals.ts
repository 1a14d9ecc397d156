/**
 * Processes stopped, continued and killed from outside. A stopped one is continued whatever happens to us: beside each
 * stands a shell that reads from a pipe, which the kernel closes when we end. Not for a Postgres backend: it may be
 * stopped with a lock of shared memory in its hands, and then the whole cluster hangs.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** $1 the process. */
const KEEPER = 'read -r _; kill -s CONT "$1" 2>/dev/null; exit 0';
const POLL_INTERVAL_MS = 2;

/** Stops a process by SIGSTOP. @returns what continues it; idempotent, and no error where it is gone by then */
export async function pause(pid: number): Promise<() => Promise<void>> {
  const keeper = spawn('/bin/sh', ['-c', KEEPER, 'keeper', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // Ctrl-C is for us: it must outlive us by that much
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

/** SIGKILL to a child of ours, a stopped one too. Resolves when it is gone; one that was gone before is no error. */
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
