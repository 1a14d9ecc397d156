/**
 * Holds values against the JSON schemas of workflows. A schema can take exponential time: in its patterns, in references
 * that refer to references, in unions within unions. So the comparison runs in threads with a limit of time and memory,
 * and the event loop, on which leases and heartbeats depend, stays free (docs/adr/0015-schemas-are-compared-in-threads.md).
 */
import { Worker } from 'node:worker_threads';
import { type JsonSchema, lenient } from './lenient-schema.js';

export type { JsonSchema };

/** `unreadable`: zod cannot read the schema. `too-slow`: the comparison took too long, or too much memory. */
export type SchemaVerdict = 'fits' | 'does-not-fit' | 'unreadable' | 'too-slow';

/** A real schema and a real answer take a few milliseconds. */
const LONGEST_CHECK_MS = 1_000;
/** One workspace's schemas are compared one after the other, so a second thread is free for the others. */
const MAX_THREADS = 2;
const MAX_THREAD_MEMORY_MIB = 128;
/** A thread that nobody needs goes, with its memory. */
const IDLE_MS = 30_000;

/** Plain JavaScript: a thread starts from a file or a text, and under test the files are TypeScript. */
const THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
const { z } = require(workerData.zod);
parentPort.postMessage('ready');
parentPort.on('message', ({ schema, value }) => {
  let verdict = 'unreadable';
  try {
    const parser = z.fromJSONSchema(schema);
    verdict = value === undefined || parser.safeParse(JSON.parse(value)).success ? 'fits' : 'does-not-fit';
  } catch {}
  parentPort.postMessage(verdict);
});`;

const idle: CheckThread[] = [];
const lastOfWorkspace = new Map<string, Promise<unknown>>();
const waiting: ((thread: CheckThread) => void)[] = [];
let threads = 0;

/**
 * @param answer - its `value` is compared. Default: only reads the schema.
 * @throws what `signal` was aborted with
 */
export async function compareWithSchema(
  workspaceId: string,
  schema: JsonSchema,
  answer: { readonly value: unknown } | undefined,
  signal: AbortSignal,
): Promise<SchemaVerdict> {
  const compare = () => compareInThread(schema, answer, signal);
  const comparison = (lastOfWorkspace.get(workspaceId) ?? Promise.resolve()).then(compare, compare);
  lastOfWorkspace.set(workspaceId, comparison);
  try {
    return await comparison;
  } finally {
    if (lastOfWorkspace.get(workspaceId) === comparison) lastOfWorkspace.delete(workspaceId);
  }
}

async function compareInThread(
  schema: JsonSchema,
  answer: { readonly value: unknown } | undefined,
  signal: AbortSignal,
): Promise<SchemaVerdict> {
  const thread = await takeThread();
  try {
    signal.throwIfAborted();
    return await thread.ask({ schema: lenient(schema), value: answer && JSON.stringify(answer.value) });
  } finally {
    giveBack(thread);
  }
}

async function takeThread(): Promise<CheckThread> {
  const free = idle.pop();
  if (free) return free.isUsable() ? free : new CheckThread();
  if (threads >= MAX_THREADS) return new Promise((resolve) => waiting.push(resolve));
  threads += 1;
  return new CheckThread();
}

function giveBack(thread: CheckThread): void {
  const usable = thread.isUsable() ? thread : undefined;
  const next = waiting.shift();
  if (next) next(usable ?? new CheckThread());
  else if (usable) usable.rest();
  else threads -= 1;
}

class CheckThread {
  readonly #worker = new Worker(THREAD, {
    eval: true,
    // Nothing of the process's environment or flags.
    env: {},
    execArgv: [],
    workerData: { zod: require.resolve('zod') },
    resourceLimits: { maxOldGenerationSizeMb: MAX_THREAD_MEMORY_MIB, maxYoungGenerationSizeMb: 16 },
  });
  #ended = false;
  #settle: (verdict: SchemaVerdict | 'ready') => void = () => {};
  readonly #ready: Promise<unknown>;
  #resting: NodeJS.Timeout | undefined;

  constructor() {
    this.#worker.unref();
    this.#ready = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#worker.on('message', (verdict: SchemaVerdict | 'ready') => this.#settle(verdict));
    const ended = () => {
      this.#ended = true;
      this.#settle('too-slow');
    };
    this.#worker.on('error', ended);
    this.#worker.on('exit', ended);
  }

  isUsable(): boolean {
    return !this.#ended;
  }

  async ask(question: { readonly schema: JsonSchema; readonly value: string | undefined }): Promise<SchemaVerdict> {
    clearTimeout(this.#resting);
    await this.#ready;
    if (this.#ended) return 'too-slow';
    const verdict = new Promise<SchemaVerdict>((resolve) => {
      this.#settle = resolve as (verdict: SchemaVerdict | 'ready') => void;
    });
    const timer = setTimeout(() => this.#end(), LONGEST_CHECK_MS);
    this.#worker.postMessage(question);
    try {
      return await verdict;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits for the next question, for a while. */
  rest(): void {
    idle.push(this);
    this.#resting = setTimeout(() => {
      const index = idle.indexOf(this);
      if (index < 0) return;
      idle.splice(index, 1);
      threads -= 1;
      this.#end();
    }, IDLE_MS).unref();
  }

  #end(): void {
    this.#ended = true;
    this.#settle('too-slow');
    void this.#worker.terminate();
  }
}
