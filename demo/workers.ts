/** The demo's processes: workers of the example agent, and the packaged worker for rotations. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess } from '../src/dev/processes.js';

const PROGRAMS = {
  agents: fileURLToPath(new URL('../examples/address-agent/worker.js', import.meta.url)),
  operations: fileURLToPath(new URL('../src/worker.js', import.meta.url)),
} as const;

const READY_TIMEOUT_MS = 60_000;

export interface DemoWorker {
  readonly identity: string;
  readonly pid: number;
  /** Sends SIGSTOP: its connections stay open, but nothing in it runs. */
  pause(): void;
  /** Sends SIGCONT: it continues. Idempotent. */
  wake(): void;
  /** Sends SIGKILL: it cannot deregister from Temporal or Postgres. */
  kill(): Promise<void>;
  /** Sends SIGTERM, and waits until it has ended. Idempotent. */
  stop(): Promise<void>;
}

/**
 * @param env - the worker's whole environment beyond PATH and HOME
 * @throws PartUnavailable if it ends before it is ready, with the end of its log
 */
export async function startWorker(
  program: keyof typeof PROGRAMS,
  identity: string,
  env: Readonly<Record<string, string>>,
): Promise<DemoWorker> {
  const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-worker-'));
  const logFile = join(folder, 'log');
  const worker = await startProcess({
    title: `the worker ${identity}`,
    command: process.execPath,
    args: [PROGRAMS[program]],
    cwd: folder,
    logFile,
    stopSignal: 'SIGTERM',
    orphanedFolder: folder,
    env: { PROVIDER_WORKER_IDENTITY: identity, ...env },
  });
  const end = async (signal?: NodeJS.Signals): Promise<void> => {
    await worker.stop(signal);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const isReady = async () => (await readFile(logFile, 'utf8')).includes('{"event":"ready"');
    await worker.waitUntil(isReady, READY_TIMEOUT_MS);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    identity,
    pid: worker.pid,
    pause: () => void process.kill(worker.pid, 'SIGSTOP'),
    wake: () => void process.kill(worker.pid, 'SIGCONT'),
    kill: () => end('SIGKILL'),
    stop: () => end(),
  };
}
