/**
 * `npm run demo`: the package at work on real parts. Four agents of two workspaces run on two workers. A key is rotated
 * meanwhile, with one worker stopped; then a worker is killed in the middle of a step. At the end the demo counts what
 * must be zero. It prints to stderr; stdout is for `--json`.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { EXIT, exitCodeOf } from '../src/cli/exit-codes.js';
import { PartUnavailable } from '../src/dev/processes.js';
import { isProviderError } from '../src/protocol/errors.js';
import { setUp } from '../testbed/teardown.js';
import { narrator, summary, whereToLook } from './report.js';
import { type DemoResult, runDemo } from './run.js';
import { demoStage } from './stage.js';

const HELP = `npm run demo -- [--json] [--keep] [--live] [--pooler]

  --json    print one JSON object as the last line on stdout
  --keep    leave everything running, to look at it in the Temporal UI
  --live    ask the real services, with the keys in the environment
  --pooler  reach Postgres through a PgBouncer in transaction mode`;

const write = (text: string): void => void process.stderr.write(`${text}\n`);

const OPTIONS = {
  json: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  live: { type: 'boolean', default: false },
  pooler: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

async function play(): Promise<number> {
  const { json, keep, live, pooler, help } = readOptions();
  if (help) {
    write(HELP);
    return EXIT.ok;
  }
  const startedAtMs = performance.now();
  const stage = await setUp((teardown) => demoStage(teardown, { live, pooler, tell: write }));
  const interrupted = once(process, 'SIGINT').then(() => stage.tearDown());
  try {
    const { ok, ...facts } = await runDemo(stage, narrator(write));
    const seconds = Math.round((performance.now() - startedAtMs) / 100) / 10;
    const result: DemoResult = { ok, seconds, ...facts };
    write(summary(result, stage));
    write(whereToLook(stage, keep));
    if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
    if (keep) await interrupted;
    return ok ? EXIT.ok : EXIT.fault;
  } finally {
    await stage.tearDown();
  }
}

function readOptions() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    write(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    process.exit(EXIT.invalid);
  }
}

/** @returns the exit code */
export function runMain(): Promise<number> {
  return play().catch((error: unknown) => {
    // The messages for an unavailable part and for a missing setting have what to do.
    const isForPeople = error instanceof PartUnavailable || isProviderError(error);
    write(isForPeople ? `${error.name}: ${error.message}` : String((error as Error).stack ?? error));
    return error instanceof PartUnavailable ? EXIT.unavailable : exitCodeOf(error);
  });
}
