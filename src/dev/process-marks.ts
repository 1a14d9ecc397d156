/**
 * Recognizes a process by its id and its start, so that another process that later has the same id is not taken for it.
 * Ends processes that an earlier program started and could not stop.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const POLL_INTERVAL_MS = 50;
/** As for a child of our own: long enough for a checkpoint on a slow disk. */
const STOP_GRACE_MS = 10_000;
/** Of `/proc/<pid>/stat`, counted from the state, which follows the name of the program in parentheses. */
const STATE = 0;
const START_TIME = 19;

export interface ProcessMark {
  readonly pid: number;
  /** When it was started, as the system writes it. */
  readonly startedAt: string;
}

/** `undefined` if there is no such process. */
export async function markOf(pid: number): Promise<ProcessMark | undefined> {
  const startedAt = process.platform === 'linux' ? await startOnLinux(pid) : await startByPs(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

export async function isRunning({ pid, startedAt }: ProcessMark): Promise<boolean> {
  return (await markOf(pid))?.startedAt === startedAt;
}

/** Ends the process by the signal, and kills it after ten seconds. Does nothing if it has ended. */
export async function endProcess(mark: ProcessMark, signal: NodeJS.Signals): Promise<void> {
  for (const each of [signal, 'SIGKILL'] as const) {
    if (!(await isRunning(mark)) || !send(mark.pid, each)) return;
    const untilMs = performance.now() + STOP_GRACE_MS;
    while (performance.now() < untilMs && (await isRunning(mark))) await delay(POLL_INTERVAL_MS);
  }
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false; // it has just ended, or is another user's
  }
}

async function startOnLinux(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[STATE] === 'Z' ? undefined : fields[START_TIME];
}

async function startByPs(pid: number): Promise<string | undefined> {
  const ps = promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)], { env: { PATH: process.env.PATH } });
  return (await ps.catch(() => undefined))?.stdout.trim() || undefined;
}
