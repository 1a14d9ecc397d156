/** The processes of a run, each with its own folder for its output, its working directory and its `TMPDIR`. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess } from '../../src/dev/processes.js';

const CLI = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const WORKER = fileURLToPath(new URL('../../src/worker.js', import.meta.url));
const USER_WORKER = fileURLToPath(new URL('user-worker.js', import.meta.url));
const RECORDED_SPANS = new URL('recorded-spans.js', import.meta.url).href;
/** What a packaged worker logs. */
export const JSON_LOG = 'log.jsonl';
/** What a platform's own worker writes to stderr. */
export const DEBUG_OUTPUT = 'debug-output';
const DEBUG = {
  NODE_DEBUG: 'undici,fetch,http,net,tls',
  ...{ OPENAI_LOG: 'debug', ANTHROPIC_LOG: 'debug' },
};
const READY_TIMEOUT_MS = 60_000;
const COMMAND_TIMEOUT_MS = 40_000;

type Env = Readonly<Record<string, string>>;

export interface CommandRun {
  readonly exitCode: number | null;
}

export class Processes {
  #serial = 0;
  readonly #children: ChildProcess[] = [];
  readonly #stops: (() => Promise<void>)[] = [];

  /** @param folder - gets a folder per process */
  constructor(private readonly folder: string) {}

  /** Runs `workspace-providers` to its end. */
  async command(args: readonly string[], env: Env, stdin: string | Buffer = ''): Promise<CommandRun> {
    const home = await this.#home(args[0] ?? 'help');
    const child = spawn(process.execPath, [CLI, ...args], {
      ...{ cwd: home.folder, env: { ...home.env, ...env }, stdio: ['pipe', home.output, home.output] },
    });
    this.#children.push(child);
    child.stdin?.on('error', () => {}); // it may end before it has read all its input
    child.stdin?.end(stdin);
    const late = setTimeout(() => child.kill('SIGKILL'), COMMAND_TIMEOUT_MS);
    await once(child, 'exit');
    clearTimeout(late);
    return { exitCode: child.exitCode };
  }

  /** Starts `dist/worker.js`, with an SDK of OpenTelemetry. */
  async worker(name: string, env: Env): Promise<void> {
    const home = await this.#home(name);
    const logFile = join(home.folder, JSON_LOG);
    const worker = await startProcess({
      ...{ title: name, command: process.execPath, args: [WORKER], cwd: home.folder, logFile },
      stopSignal: 'SIGTERM',
      env: { ...home.env, PROVIDER_WORKER_IDENTITY: name, NODE_OPTIONS: `--import ${RECORDED_SPANS}`, ...env },
    });
    this.#stops.push(() => worker.stop());
    await worker.waitUntil(async () => (await readFile(logFile, 'utf8')).includes('"event":"ready"'), READY_TIMEOUT_MS);
  }

  /** Starts a platform's own worker, with the debug output of Node and of clients. */
  async userWorker(name: string, env: Env): Promise<ChildProcess> {
    const home = await this.#home(name);
    const child = fork(USER_WORKER, {
      ...{ cwd: home.folder, env: { ...home.env, ...DEBUG, ...env }, execArgv: [] },
      stdio: ['ignore', home.output, openSync(join(home.folder, DEBUG_OUTPUT), 'a'), 'ipc'],
    });
    this.#children.push(child);
    await Promise.race([
      once(child, 'message', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) }),
      once(child, 'exit').then(() =>
        Promise.reject(new Error(`${name} ended before it was ready; its output is in ${home.folder}`)),
      ),
    ]);
    return child;
  }

  /** Starts a process that keeps running, so that others can read its arguments and environment. */
  async idler(args: readonly string[], env: Env): Promise<void> {
    const home = await this.#home('idler');
    const script = 'setInterval(() => {}, 1000)';
    const child = spawn(process.execPath, ['-e', script, ...args], { cwd: home.folder, env: { ...home.env, ...env } });
    this.#children.push(child);
    await once(child, 'spawn');
  }

  async end(): Promise<void> {
    await Promise.all(this.#stops.splice(0).map((stop) => stop()));
    for (const child of this.#children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
  }

  /** Creates the folder of a process. `output` gets both streams. */
  async #home(name: string) {
    this.#serial += 1;
    const folder = join(this.folder, `${String(this.#serial).padStart(3, '0')}-${name.replace(/[^\w-]/g, '')}`);
    await mkdir(folder, { recursive: true });
    const file = join(folder, 'output');
    await writeFile(file, '');
    const { PATH = '' } = process.env;
    return { folder, output: openSync(file, 'a'), env: { PATH, HOME: folder, TMPDIR: folder } };
  }
}
