/** The seats of a fault run's processes: in each seat a process is started, killed and replaced. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromReader, ToReader } from './messages.js';
import { kill } from './parts/signals.js';

const START_TIMEOUT_MS = 180_000;

export interface SeatOptions {
  /** The module that runs there: `reader` or `operations`. */
  readonly script: string;
  /** The settings of the seat's process number `generation`. */
  readonly settings: (generation: number) => object;
  readonly onMessage: (message: FromReader) => void;
  /** Called if the process ended by itself. */
  readonly onCrash: (how: string) => void;
}

export class Seat {
  #child: ChildProcess | undefined;
  #generation = 0;
  #ending = false;

  constructor(
    readonly name: string,
    private readonly options: SeatOptions,
  ) {}

  /** The process id of the current or the last process. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Returns once the process works. The caller must have killed the process before. */
  async start(): Promise<void> {
    const { script, settings, onMessage, onCrash } = this.options;
    this.#generation += 1;
    this.#ending = false;
    const { PATH = '', HOME = '', FAULT_DEBUG } = process.env;
    const child = fork(fileURLToPath(new URL(`${script}.js`, import.meta.url)), {
      env: { PATH, HOME, FAULT_PROCESS: JSON.stringify(settings(this.#generation)) },
      stdio: ['ignore', 'ignore', FAULT_DEBUG ? 'inherit' : 'ignore', 'ipc'],
      execArgv: [],
    });
    this.#child = child;
    child.on('error', () => {}); // a message that it can no longer receive
    child.on('message', onMessage);
    child.once('exit', (code, signal) => {
      if (this.#child === child && !this.#ending) onCrash(`${this.name} ended by itself: ${signal ?? code}`);
    });
    await this.heard('ready', AbortSignal.timeout(START_TIMEOUT_MS));
  }

  tell(message: ToReader): void {
    if (this.#child?.connected) this.#child.send(message, () => {});
  }

  /** @throws if `signal` is aborted, or if the process ends first */
  async heard(what: FromReader['is'], signal: AbortSignal): Promise<void> {
    const child = this.#child as ChildProcess;
    const ended = new AbortController();
    const end = () => ended.abort(new Error(`${this.name} has ended`));
    child.once('exit', end);
    const either = AbortSignal.any([signal, ended.signal]);
    try {
      for (;;) {
        const [message] = (await once(child, 'message', { signal: either })) as [FromReader];
        if (message.is === what) return;
      }
    } finally {
      child.removeListener('exit', end);
    }
  }

  async kill(): Promise<void> {
    this.#ending = true;
    if (this.#child) await kill(this.pid);
  }

  /** Ends the process after a last report, and kills it if that takes too long. */
  async end(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    this.#ending = true;
    const gone = once(child, 'exit');
    this.tell({ do: 'end' });
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(late);
  }
}
