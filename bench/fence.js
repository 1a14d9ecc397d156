/**
 * How long a change waits until no worker serves the older version: with ten healthy worker processes, with one of them
 * stopped, and with one that was killed a while ago. Beside it, the change without a fence, and the wait for a
 * time-to-live to expire, which is the alternative to a fence. After each fence every worker is asked which version it
 * serves.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { awaitFence } from '../dist/fence/fence.js';
import { Janitor } from '../dist/fence/janitor.js';
import { openManagementStore } from '../dist/store/management-store.js';
import { openPool } from './bare-load.js';
import { inRounds } from './rounds.js';

const FLEET = 10;
const ALONE = 'floor: the change alone';
const HEALTHY = `ours: ${FLEET} workers, all well`;
const TTL = 'a time-to-live, waited out';
const AIM_STOPPED = 1.05;

/**
 * @param {{ rounds: number, changes: number, leaseMs: number }} settings
 * @param {import('./database.js').BenchDatabase} database
 * @returns {Promise<import('./report.js').Part[]>}
 */
export async function benchFence({ rounds, changes, leaseMs }, database) {
  const [workspaceId] = database.workspaceIds;
  const pool = openPool(database.adminUrl);
  const registry = openManagementStore({ databaseUrl: database.managerUrl });
  const fleet = await Promise.all(
    Array.from({ length: FLEET }, (_, index) => startWorker(database, workspaceId, leaseMs, `bench-${index}`)),
  );
  let changed = 0;
  /** @returns {Promise<number>} the version */
  const change = async () => {
    changed += 1;
    const set = `update workspace_providers set config = jsonb_set(config, '{model}', to_jsonb($1::text))
      where workspace_id = $2 and provider_type = 'llm' and provider_name = 'anthropic' returning version`;
    const { rows } = await pool.query(set, [`model-${changed}`, workspaceId]);
    return Number(rows[0].version);
  };
  const fenced = async (/** @type {Worker[]} */ asked, startedAtMs = performance.now()) => {
    const version = await change();
    await awaitFence({ registry });
    const tookMs = performance.now() - startedAtMs;
    await Promise.all(asked.map((worker) => worker.mustServe(version)));
    return tookMs;
  };
  try {
    const contenders = [
      { name: ALONE, samples: changes, run: async () => timed(change) },
      { name: HEALTHY, samples: changes, run: () => fenced(fleet), floor: ALONE },
      {
        name: TTL,
        samples: 1,
        run: () => timed(() => change().then(() => delay(leaseMs))),
      },
      {
        name: `ours: ${FLEET} workers, one stopped`,
        samples: 1,
        run: () => whileStopped(fleet[0], () => fenced(fleet.slice(1))),
        floor: TTL,
        aim: AIM_STOPPED,
      },
    ];
    const results = await inRounds(contenders, rounds, turn);

    const [killed, ...others] = fleet;
    await killed.kill();
    await untilGone(registry, killed.identity, leaseMs);
    const afterKill = { name: 'ours: one killed a while ago', samples: changes, run: () => fenced(others) };
    const killResults = await inRounds([afterKill], rounds, turn);
    return [
      { title: `a change and its fence, the lease ${leaseMs} ms`, unit: 'ms', results: [...results, ...killResults] },
    ];
  } finally {
    await Promise.all(fleet.map((worker) => worker.kill()));
    await Promise.all([pool.end(), registry.close()]);
  }
}

/** @typedef {Awaited<ReturnType<typeof startWorker>>} Worker */

async function startWorker({ resolverUrl, encryptionKey }, workspaceId, leaseMs, identity) {
  const script = fileURLToPath(new URL('fence-worker.js', import.meta.url));
  const env = {
    PROVIDER_DATABASE_URL: resolverUrl,
    ENCRYPTION_KEY: encryptionKey,
    PROVIDER_CACHE_LEASE: `${leaseMs}ms`,
    PROVIDER_WORKER_IDENTITY: identity,
  };
  const child = fork(script, [workspaceId], { env });
  await once(child, 'message');
  return {
    /** @type {string} */
    identity,
    signal: (/** @type {NodeJS.Signals} */ signal) => child.kill(signal),
    async mustServe(/** @type {number} */ version) {
      child.send('which?');
      const [{ version: served }] = await once(child, 'message');
      if (served < version) throw new Error(`a worker serves version ${served} after the fence of ${version}`);
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function whileStopped(/** @type {Worker} */ worker, /** @type {() => Promise<number>} */ work) {
  worker.signal('SIGSTOP');
  try {
    return await work();
  } finally {
    worker.signal('SIGCONT');
    // It has registered again before the next sample relies on it.
    await worker.mustServe(0);
  }
}

/** Waits until a janitor, as every worker of rotations has one, has noticed that this worker does not renew its lease. */
async function untilGone(registry, identity, leaseMs) {
  const janitor = new Janitor(registry);
  const deadlineMs = performance.now() + 20 * leaseMs;
  for (;;) {
    await janitor.look();
    const row = (await registry.listWorkers()).find((worker) => worker.identity === identity);
    if (row?.state !== 'live') return;
    if (performance.now() > deadlineMs) throw new Error('no janitor noticed that a worker was killed');
    await delay(leaseMs / 10);
  }
}

/** @param {{ samples: number, run: () => Promise<number> }} contender */
async function turn({ samples, run }) {
  const timesNs = [];
  for (let sample = 0; sample < samples; sample++) timesNs.push((await run()) * 1e6);
  timesNs.sort((a, b) => a - b);
  const at = (/** @type {number} */ share) => timesNs[Math.min(samples - 1, Math.floor(share * samples))];
  return { samples, min: at(0), p50: at(0.5), p99: at(0.99), max: at(1) };
}

async function timed(/** @type {() => Promise<unknown>} */ work) {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}
