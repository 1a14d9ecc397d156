/** Worker processes of the demo: the same `worker.js` that runs in production, killed the hard way. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const WORKER = fileURLToPath(new URL('../../worker.js', import.meta.url));

export interface DemoWorker {
  readonly identity: string;
  readonly pid: number;
  /** SIGKILL: no goodbye to Temporal or Postgres. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for its end. Idempotent. */
  stop(): Promise<void>;
}

/** @param env - the worker's whole environment beyond PATH and HOME */
export async function startWorker(identity: string, env: Readonly<Record<string, string>>): Promise<DemoWorker> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [WORKER], {
    env: { PATH, HOME, PROVIDER_WORKER_IDENTITY: identity, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  await ready(child, identity);

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  };
  return { identity, pid: child.pid as number, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') };
}

async function ready(child: ChildProcess, identity: string): Promise<void> {
  const said: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  if (!child.stdout) throw new Error('the worker has no stdout');
  for await (const line of createInterface(child.stdout)) {
    if (line.startsWith('{"event":"ready"')) return;
  }
  throw new Error(`the worker ${identity} ended before it was ready:\n${said.join('').slice(-2_000)}`);
}
