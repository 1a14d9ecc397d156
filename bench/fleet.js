/**
 * The fence of a large fleet: 10, 100 and 1,000 workers. A worker here is the part that a fence waits for, a lease and
 * its keeper, in one process with the others and with shared connections: a thousand processes do not fit on one
 * machine. Each hears of a change by the same notification.
 */
import { randomUUID } from 'node:crypto';
import { awaitFence } from '../dist/fence/fence.js';
import { Lease } from '../dist/fence/lease.js';
import { LeaseKeeper } from '../dist/fence/lease-keeper.js';
import { listenForChanges } from '../dist/store/change-listener.js';
import { openManagementStore } from '../dist/store/management-store.js';
import { openDatabase } from '../dist/store/pool.js';
import { leaseStore, WorkerTokens } from '../dist/store/worker-store.js';
import { openPool } from './bare-load.js';
import { inRounds } from './rounds.js';

const LEASE_MS = 60_000;
const CONNECTIONS = 20;

/**
 * @param {{ fleets: readonly number[], changes: number }} settings
 * @param {import('./database.js').BenchDatabase} database
 * @returns {Promise<import('./report.js').Part[]>}
 */
export async function benchFleet({ fleets, changes }, database) {
  const [workspaceId] = database.workspaceIds;
  const pool = openPool(database.adminUrl);
  const registry = openManagementStore({ databaseUrl: database.managerUrl });
  const connections = openDatabase(
    { databaseUrl: database.resolverUrl, maxConnections: CONNECTIONS, connectTimeoutMs: 60_000 },
    'provider_resolver',
  );
  const store = leaseStore(connections, new WorkerTokens());
  /** @type {LeaseKeeper[]} */
  const keepers = [];
  const listener = listenForChanges(database.resolverUrl, () => {
    for (const keeper of keepers) keeper.nudge();
  });
  let changed = 0;
  try {
    const results = [];
    for (const size of fleets) {
      const added = Array.from({ length: size - keepers.length }, () => newKeeper(store));
      await Promise.all(added.map((keeper) => keeper.start()));
      keepers.push(...added);
      const fenced = async () => {
        changed += 1;
        const startedAtMs = performance.now();
        await pool.query(
          `update workspace_providers set config = jsonb_set(config, '{model}', to_jsonb($1::text))
            where workspace_id = $2 and provider_type = 'llm' and provider_name = 'anthropic'`,
          [`model-${changed}`, workspaceId],
        );
        const { workers } = await awaitFence({ registry });
        if (workers.some(({ outcome }) => outcome !== 'applied')) throw new Error('a worker did not apply a change');
        return (performance.now() - startedAtMs) * 1e6;
      };
      const turn = async () => {
        const timesNs = [];
        for (let sample = 0; sample < changes; sample++) timesNs.push(await fenced());
        timesNs.sort((a, b) => a - b);
        const at = (/** @type {number} */ share) => timesNs[Math.floor(share * (changes - 1))];
        return { samples: changes, min: at(0), p50: at(0.5), p99: at(0.99), max: at(1) };
      };
      results.push(...(await inRounds([{ name: `${size} workers` }], 1, turn)));
    }
    return [{ title: 'a change and its fence in a fleet', unit: 'ms', results }];
  } finally {
    await listener.close();
    await Promise.all(keepers.map((keeper) => keeper.stop()));
    await Promise.all([pool.end(), registry.close(), connections.close()]);
  }
}

function newKeeper(store) {
  const workerId = randomUUID();
  const worker = {
    workerId,
    taskQueue: workerId,
    identity: 'bench',
    build: '0',
    leaseMs: LEASE_MS,
    longestStepMs: 1_000,
  };
  const cache = { invalidate: () => {}, clear: () => {} };
  return new LeaseKeeper({ store, worker, lease: new Lease(LEASE_MS), cache });
}
