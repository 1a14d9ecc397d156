/**
 * `npm run bench` measures everything beside its floor and its peers, in one run. Tables go to stdout, progress to
 * stderr, all figures to `bench/results/<date>.json`. `--quick` takes seconds instead of minutes: it shows that the
 * benchmarks run, and measures nothing; its file `bench/results/quick.json` is not kept. `--only fence` (or `warm`,
 * `cold`, `storm`, `activity`, `imports`, `install`) runs only that part, and writes a separate file. A time never fails the run; a wrong
 * answer does.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { benchActivity } from './activity.js';
import { benchCold } from './cold.js';
import { startDatabase } from './database.js';
import { benchFence } from './fence.js';
import { benchImports } from './imports.js';
import { benchInstall } from './install.js';
import { table } from './report.js';
import { benchStorm } from './storm.js';
import { load, machine, versions } from './surroundings.js';
import { benchWarm } from './warm.js';

const THOROUGH = {
  workspaces: 200,
  warm: { rounds: 11, turnMs: 200, workspaces: 10_000 },
  cold: { rounds: 11, turnMs: 500 },
  storm: { rounds: 5, turnMs: 500 },
  imports: { rounds: 5 },
  fence: { rounds: 5, changes: 200, leaseMs: 5_000 },
  activity: {
    rounds: 15,
    servers: [
      { raisedPollLimit: true, count: 100, localCount: 300 },
      { raisedPollLimit: false, count: 30, localCount: 200 },
    ],
  },
};

const QUICK = {
  workspaces: 5,
  warm: { rounds: 2, turnMs: 5, workspaces: 200 },
  cold: { rounds: 2, turnMs: 5 },
  storm: { rounds: 1, turnMs: 5 },
  imports: { rounds: 1 },
  fence: { rounds: 1, changes: 5, leaseMs: 1_000 },
  activity: {
    rounds: 1,
    servers: [
      { raisedPollLimit: true, count: 10, localCount: 10 },
      { raisedPollLimit: false, count: 10, localCount: 10 },
    ],
  },
};

const { quick, only } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
}).values;
const isWanted = (/** @type {string} */ part) => only === undefined || only === part;
const settings = quick ? QUICK : THOROUGH;
const startedAt = new Date().toISOString();
const loadBefore = load();
/** @type {import('./report.js').Part[]} */
const parts = [];

if (isWanted('warm')) await measure('warm resolves', () => benchWarm(settings.warm));
if (isWanted('imports')) await measure('imports', () => benchImports(settings.imports));
// Not part of a whole run, because it needs the registry.
if (only === 'install') await measure('installations', benchInstall);
say('starting a Postgres and writing providers');
const database = await startDatabase(settings.workspaces);
try {
  if (isWanted('cold')) await measure('cold resolves', () => benchCold(settings.cold, database));
  if (isWanted('storm')) await measure('storms', () => benchStorm(settings.storm, database));
  if (isWanted('fence')) await measure('fences', () => benchFence(settings.fence, database));
  if (isWanted('activity')) await measure('activities in Temporal', () => benchActivity(settings.activity, database));
} finally {
  await database.stop();
}

const loads = { before: loadBefore, after: load() };
const results = { startedAt, quick, machine: machine(), load: loads, versions: versions(), settings, parts };
const folder = new URL('results/', import.meta.url);
await mkdir(folder, { recursive: true });
const file = fileURLToPath(
  new URL(`${quick ? 'quick' : startedAt.slice(0, 10)}${only ? `-${only}` : ''}.json`, folder),
);
await writeFile(file, `${JSON.stringify(results, null, 1)}\n`);
say(`load ${loads.before} before, ${loads.after} after, on ${results.machine.cores} cores · ${file}`);

async function measure(/** @type {string} */ what, /** @type {() => Promise<import('./report.js').Part[]>} */ bench) {
  say(`measuring ${what}`);
  for (const part of await bench()) {
    parts.push(part);
    console.log(`${table(part)}\n`);
  }
}

function say(/** @type {string} */ line) {
  console.error(line);
}
