/** A project of a user: their worker and their starter, which have nothing but the files of `dev`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { linkPackages, REPOSITORY } from '../../architecture/scratch-project.js';

/** The worker of the README, which also prints a line when it polls. */
const WORKER = `
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { WorkspaceProviders } from 'workspace-providers';
const providers = await WorkspaceProviders.connect();
const connection = await NativeConnection.connect({ address: process.env.TEMPORAL_ADDRESS });
const worker = await Worker.create({
  connection, taskQueue: 'agents', plugins: [providers.plugin()],
  workflowsPath: fileURLToPath(new URL('workflows.js', import.meta.url)),
});
process.stdout.write('polling');
await worker.run();
`;

export interface OwnProject {
  /** Also the folder in which `dev` runs. */
  readonly folder: string;
  /** @param envFile - its only settings @returns once it polls the queue `agents` */
  startWorker(envFile: string): Promise<OwnWorker>;
  /** Starts a workflow on the queue `agents`. @returns what the starter printed */
  ask(envFile: string, workspaceId: string): Promise<{ readonly exitCode: number | null; readonly said: string }>;
  remove(): Promise<void>;
}

export interface OwnWorker {
  stop(): Promise<void>;
}

export async function createOwnProject(): Promise<OwnProject> {
  const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-own-'));
  await chmod(folder, 0o755); // Postgres may run as another user
  await mkdir(join(folder, 'node_modules'));
  await linkPackages(folder, ['@temporalio']);
  await symlink(REPOSITORY, join(folder, 'node_modules/workspace-providers'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder, 'worker.js'), WORKER);
  for (const file of ['workflows.js', 'start.js'])
    await copyFile(join(REPOSITORY, 'examples/ask-model', file), join(folder, file));
  const workers: ChildProcess[] = [];
  const run = (envFile: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    spawn(process.execPath, [`--env-file=${envFile}`, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, ...env },
    });
  const stop = async (worker: ChildProcess) => {
    if (worker.exitCode === null && worker.signalCode === null && worker.kill()) await once(worker, 'exit');
  };
  return {
    folder,
    async startWorker(envFile) {
      const worker = run(envFile, ['worker.js']);
      workers.push(worker);
      let said = '';
      worker.stderr.on('data', (chunk: Buffer) => {
        said += chunk;
      });
      await Promise.race([
        once(worker.stdout, 'data'),
        once(worker, 'exit').then(() => Promise.reject(new Error(`the worker ended before it polled: ${said}`))),
      ]);
      return { stop: () => stop(worker) };
    },
    async ask(envFile, workspaceId) {
      const starter = run(envFile, ['start.js', workspaceId, 'anthropic', 'Say hello.'], {
        AGENT_TASK_QUEUE: 'agents',
      });
      const [out, err] = await Promise.all([text(starter.stdout), text(starter.stderr), once(starter, 'close')]);
      return { exitCode: starter.exitCode, said: `${out}${err}`.trim() };
    },
    async remove() {
      await Promise.all(workers.map(stop));
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
