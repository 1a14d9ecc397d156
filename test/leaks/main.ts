/**
 * A run of the leak test: it plants secrets, runs everything that may leak them, and searches every byte that was
 * written. stdout gets one line of JSON, stderr the progress and the findings. Neither contains a secret.
 */
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setUp } from '../../testbed/teardown.js';
import { runAgents, runEncrypted, startWorkers } from './agents.js';
import { callEverything, plantDataKeys, plantUnreadable } from './callers.js';
import { changeRootKey, pasteIntoArguments, runCommands } from './commands.js';
import { leakIntoTelemetry, leakOnPurpose, SURFACES } from './controls.js';
import { PATHS } from './echo-answers.js';
import { FAILING } from './echo-service.js';
import { watchProcesses } from './parts/proc-watch.js';
import { type Find, Search } from './parts/search.js';
import { configureAll, plantSecrets } from './providers.js';
import { leakStage, type Stage } from './stage.js';
import { collectFromServers, searchCollected, searchFiles } from './surfaces.js';
import { Told } from './told.js';

/** The number of findings that are printed. */
const SHOWN_FINDS = 200;

/** @returns the exit code */
export async function runLeaks(folder: string): Promise<number> {
  const startMs = performance.now();
  const say = (what: string) => console.error(`${Math.round((performance.now() - startMs) / 1_000)} s: ${what}`);
  process.env.TMPDIR = join(folder, 'tmp'); // for everything that is started from here on
  await mkdir(process.env.TMPDIR, { mode: 0o711 });
  const watch = watchProcesses();
  const told = new Told();
  const stage = await setUp((teardown) => leakStage(folder, teardown));
  try {
    say('Postgres, Temporal and the services are running');
    const secrets = plantSecrets(stage);
    const [workers] = await Promise.all([startWorkers(stage), configureAll(stage, secrets, stage.manager)]);
    await plantUnreadable(stage);
    say('providers are configured, and workers are running');
    const agents = runAgents(stage, workers, told).then(() => say('agents have ended'));
    const calls = callEverything(stage, secrets, told).then(() => say(`callers got ${told.errors} errors`));
    await Promise.all([
      runCommands(stage, secrets).then(({ run, failed }) =>
        say(`${run} commands have run, and ${failed} of them failed`),
      ),
      agents,
      calls,
    ]);
    await runEncrypted(stage, told);
    await plantDataKeys(stage);
    await leakIntoTelemetry(stage);
    await changeRootKey(stage);
    await leakOnPurpose(stage, workers, { watch, told });
    watch.stop();
    await pasteIntoArguments(stage);
    const collected = await collectFromServers(stage, told);
    await stage.processes.end();
    process.kill(stage.temporal.pid, 'SIGKILL'); // a clean stop would remove its log
    await stage.postgres.stop();
    say(`every process has ended; ${watch.seen.processes} processes were seen`);
    const search = new Search(stage.canaries.all);
    searchCollected(search, collected, watch.seen);
    await searchFiles(search, stage);
    say('the search has ended');
    return report(stage, search, [
      ...idleFailures(stage),
      ...(told.text.includes('went on') ? [] : ['a step whose worker was killed']),
    ]);
  } catch (error) {
    // Printed before running processes report that their servers are gone.
    console.error(`the run failed: ${error instanceof Error ? error.stack : 'unknown error'}`);
    return 1;
  } finally {
    watch.stop();
    if (process.env.LEAKS_KEEP) await keep(stage, process.env.LEAKS_KEEP);
    await stage.tearDown();
  }
}

/** Keeps the folder, to look into the findings. The secrets of a run are not used anywhere else. */
async function keep({ canaries, folder }: Stage, where: string): Promise<void> {
  await cp(folder, where, { recursive: true });
  await writeFile(join(where, 'canaries.json'), JSON.stringify(canaries.all, null, 2));
}

/** The kinds of failure that no request had, which therefore prove nothing. */
function idleFailures({ echo }: Stage): string[] {
  const wanted = ['works', ...FAILING.filter((how) => how !== 'refused')];
  return wanted.filter((how) => !echo.requests[how]).map((how) => `a request that is answered by ${how}`);
}

function report({ canaries }: Stage, search: Search, idle: readonly string[]): number {
  const [surfaces, paths] = [Object.values(SURFACES), Object.values(PATHS)];
  const leaks = search.finds.filter(({ canary }) => canary.control === undefined);
  const found = (surface: string) =>
    search.finds.some((find) => find.surface === surface && find.canary.control === surface);
  const reached = (path: string) => search.finds.some(({ canary }) => canary.control === path);
  const missed = [...surfaces.filter((surface) => !found(surface)), ...paths.filter((path) => !reached(path))];
  for (const what of idle) console.error(`never happened: ${what}`);
  for (const surface of missed) console.error(`control not found: ${surface}`);
  const lines = [...new Set(leaks.map(describe))];
  for (const line of lines.slice(0, SHOWN_FINDS)) console.error(line);
  if (lines.length > SHOWN_FINDS) console.error(`and ${lines.length - SHOWN_FINDS} more`);
  console.log(
    JSON.stringify({
      canaries: canaries.all.filter(({ control }) => control === undefined).length,
      surfaces: surfaces.length,
      paths: paths.length,
      bytesSearched: search.bytesSearched,
      found: leaks.length,
      controlsFound: surfaces.length + paths.length - missed.length,
    }),
  );
  return leaks.length + missed.length + idle.length === 0 ? 0 : 1;
}

function describe({ surface, source, offset, canary, encoding }: Find): string {
  return `found in ${surface}: ${source}, at ${offset}: ${canary.kind}, ${encoding}`;
}
