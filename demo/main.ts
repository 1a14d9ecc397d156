/**
 * `npm run demo`: the package at work on real parts. Four agents of two workspaces run on two workers. A key is rotated
 * meanwhile, with one worker stopped; then a worker is killed in the middle of a step. At the end the demo counts what
 * must be zero. It prints to stderr; stdout is for `--json`.
 */
import { parseArgs } from 'node:util';
import { EXIT } from '../src/cli/exit-codes.js';
import { classify } from '../src/cli/failure.js';
import { setUp } from '../testbed/teardown.js';
import { narrator, summary, whatWasWritten, whereToLook } from './report.js';
import { type DemoResult, runDemo } from './run.js';
import { demoStage } from './stage.js';
import { DemoTelemetry } from './telemetry.js';

const HELP = `npm run demo -- [--json] [--keep] [--live] [--pooler] [--telemetry]

  --json       print one JSON object as the last line on stdout
  --keep       leave everything running, to look at it in the Temporal UI
  --live       ask the real services, with the keys in the environment
  --pooler     reach Postgres through a PgBouncer in transaction mode
  --telemetry  write spans (OTLP in JSON) and metrics (for Prometheus) to files in a new folder`;

const write = (text: string): void => void process.stderr.write(`${text}\n`);
const print = (document: object): void => void process.stdout.write(`${JSON.stringify(document)}\n`);

const OPTIONS = {
  json: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  live: { type: 'boolean', default: false },
  pooler: { type: 'boolean', default: false },
  telemetry: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

async function play({
  json,
  keep,
  live,
  pooler,
  telemetry: isTraced,
  help,
}: ReturnType<typeof readOptions>): Promise<number> {
  if (help) {
    write(HELP);
    return EXIT.ok;
  }
  const startedAtMs = performance.now();
  const telemetry = isTraced ? await DemoTelemetry.start() : undefined;
  const stage = await setUp((teardown) => demoStage(teardown, { live, pooler, telemetry, tell: write }));
  const interrupted = nextSignal();
  const run = () => runDemo(stage, narrator(write));
  try {
    const played = await Promise.race([telemetry ? telemetry.trace(run) : run(), interrupted]);
    if (played === undefined) return EXIT.interrupted;
    const written = (await telemetry?.finish(stage.secrets)) ?? null;
    const { ok: isSound, ...facts } = played;
    const ok = isSound && !written?.secrets;
    const seconds = Math.round((performance.now() - startedAtMs) / 100) / 10;
    const result: DemoResult = { ok, seconds, ...facts, telemetry: written };
    write(summary(result, stage));
    if (written) write(whatWasWritten(written));
    write(whereToLook(stage, keep));
    if (json) print(result);
    if (keep) await interrupted;
    return ok ? EXIT.ok : EXIT.fault;
  } finally {
    await stage.tearDown();
  }
}

/** What is under way fails when the servers stop. Nobody waits for it any more. */
function nextSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        process.on('unhandledRejection', () => {});
        resolve(undefined);
      });
    }
  });
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
export async function runMain(): Promise<number> {
  const options = readOptions();
  try {
    return await play(options);
  } catch (error) {
    const { failure, exitCode } = classify(error);
    if (options.json) print({ ok: false, error: failure });
    else
      write(exitCode === EXIT.fault ? String((error as Error).stack ?? error) : `${failure.type}: ${failure.message}`);
    return exitCode;
  }
}
