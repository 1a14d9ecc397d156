/**
 * `npm run bench` measures everything beside its floor and its peers, in one run. Tables go to stdout, progress to
 * stderr, all figures to `bench/results/<date>.json`. `--quick` takes seconds instead of minutes: it shows that the
 * benchmarks run, and measures nothing; its file `bench/results/quick.json` is not kept. `--only fence` runs only that
 * part of PARTS, and writes a separate file. A time never fails the run; a wrong answer does.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { benchActivity } from './activity.js';
import { benchChanges } from './changes.js';
import { benchCold } from './cold.js';
import { startDatabase } from './database.js';
import { benchDeploy } from './deploy.js';
import { benchFence } from './fence.js';
import { benchFleet } from './fleet.js';
import { benchImports } from './imports.js';
import { benchInstall } from './install.js';
import { benchMillion } from './million.js';
import { benchOutage } from './outage.js';
import { table } from './report.js';
import { benchRequest } from './request.js';
import { benchStorm } from './storm.js';
import { load, machine, versions } from './surroundings.js';
import { benchWarm } from './warm.js';

const THOROUGH = {
  workspaces: 200,
  warm: { rounds: 11, turnMs: 200, workspaces: 10_000 },
  request: { rounds: 11, turnMs: 500 },
  cold: { rounds: 11, turnMs: 500 },
  storm: { rounds: 5, turnMs: 500 },
  imports: { rounds: 5 },
  deploy: { rounds: 3, workers: 10, callers: 100, maxConnections: 10 },
  changes: { rounds: 5, turnMs: 3_000 },
  fence: { rounds: 5, changes: 200, leaseMs: 5_000 },
  fleet: { fleets: [10, 100, 1_000], changes: 20 },
  outage: { leaseMs: 4_000, phaseMs: 8_000 },
  million: { workspaces: 250_000, rewrapped: 5_000, turnMs: 1_000 },
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
  request: { rounds: 2, turnMs: 20 },
  cold: { rounds: 2, turnMs: 5 },
  storm: { rounds: 1, turnMs: 5 },
  imports: { rounds: 1 },
  deploy: { rounds: 1, workers: 2, callers: 5, maxConnections: 2 },
  changes: { rounds: 1, turnMs: 100 },
  fence: { rounds: 1, changes: 5, leaseMs: 1_000 },
  fleet: { fleets: [2, 5], changes: 2 },
  outage: { leaseMs: 500, phaseMs: 500 },
  million: { workspaces: 1_000, rewrapped: 20, turnMs: 5 },
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
const settings = quick ? QUICK : THOROUGH;

/** @typedef {Promise<import('./report.js').Part[]>} Parts */
/** @type {Record<string, () => Parts>} */
const WITHOUT_DATABASE = {
  warm: () => benchWarm(settings.warm),
  request: () => benchRequest(settings.request),
  imports: () => benchImports(settings.imports),
  install: () => benchInstall(),
};
/** @type {Record<string, (database: import('./database.js').BenchDatabase) => Parts>} */
const ON_A_DATABASE = {
  cold: (database) => benchCold(settings.cold, database),
  storm: (database) => benchStorm(settings.storm, database),
  fence: (database) => benchFence(settings.fence, database),
  fleet: (database) => benchFleet(settings.fleet, database),
  outage: (database) => benchOutage(settings.outage, database),
  activity: (database) => benchActivity(settings.activity, database),
  deploy: (database) => benchDeploy(settings.deploy, database),
  changes: (database) => benchChanges(settings.changes, database),
  million: (database) => benchMillion(settings.million, database),
};
/**
 * A database of its own for what needs more workspaces, flushed commits, or leaves much behind.
 *
 * @type {Record<string, [workspaces: number, options?: import('../dist/dev/postgres.js').PostgresOptions]>}
 */
const OWN_DATABASE = {
  deploy: [quick ? 10 : 1_000],
  changes: [quick ? 20 : 50, { durable: true }],
  million: [1],
};
/** Not part of a whole run: the one needs a registry, the other takes minutes. */
const ONLY_ALONE = ['install', 'million'];
const names = [...Object.keys(WITHOUT_DATABASE), ...Object.keys(ON_A_DATABASE)];
if (only !== undefined && !names.includes(only)) throw new Error(`--only must be one of ${names.join(', ')}`);
const isWanted = (/** @type {string} */ name) =>
  (only ?? name) === name && (only === name || !ONLY_ALONE.includes(name));

const startedAt = new Date().toISOString();
const loadBefore = load();
/** @type {import('./report.js').Part[]} */
const parts = [];
for (const [name, bench] of Object.entries(WITHOUT_DATABASE)) if (isWanted(name)) await measure(name, bench);
const shared = Object.entries(ON_A_DATABASE).filter(([name]) => isWanted(name) && !OWN_DATABASE[name]);
if (shared.length > 0) {
  await onDatabase([settings.workspaces], async (database) => {
    for (const [name, bench] of shared) await measure(name, () => bench(database));
  });
}
for (const [name, own] of Object.entries(OWN_DATABASE)) {
  if (isWanted(name)) await onDatabase(own, (database) => measure(name, () => ON_A_DATABASE[name](database)));
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

/**
 * @param {[workspaces: number, options?: import('../dist/dev/postgres.js').PostgresOptions]} own
 * @param {(database: import('./database.js').BenchDatabase) => Promise<void>} work
 */
async function onDatabase([workspaces, options = {}], work) {
  say(`starting a Postgres and writing providers of ${workspaces} workspaces`);
  const database = await startDatabase(workspaces, options);
  try {
    await work(database);
  } finally {
    await database.stop();
  }
}

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
