/**
 * Changes a second on a Postgres that flushes each commit: twenty writers, each with a provider of its own workspace,
 * beside the same update of a table without triggers. A worker is registered, so each renewal numbers what was
 * committed meanwhile.
 */
import { openProviderStore } from '../dist/store/provider-store.js';
import { openPool } from './bare-load.js';
import { inRounds } from './rounds.js';

const WRITERS = 20;
const PLAIN = 'floor: a table without triggers';
const RENEW_EVERY_MS = 50;

/**
 * @param {{ rounds: number, turnMs: number }} settings
 * @param {import('./database.js').BenchDatabase} database
 * @returns {Promise<import('./report.js').Part[]>}
 */
export async function benchChanges({ rounds, turnMs }, { adminUrl, resolverUrl, workspaceIds }) {
  const pool = openPool(adminUrl, WRITERS);
  const store = openProviderStore({ databaseUrl: resolverUrl });
  const workerId = 'bench-changes';
  await store.registerWorker({
    ...{ workerId, taskQueue: workerId, identity: workerId, build: '0', leaseMs: 30_000, longestStepMs: 1_000 },
  });
  let applied = 0;
  const renewing = setInterval(async () => {
    applied = (await store.renewLease(workerId, applied, 30_000))?.epoch ?? applied;
  }, RENEW_EVERY_MS);
  try {
    await pool.query('create table plain_providers (like workspace_providers including all)');
    await pool.query('insert into plain_providers select * from workspace_providers');
    let changed = 0;
    const update = (/** @type {string} */ table) => async (/** @type {string} */ workspaceId) => {
      changed += 1;
      const set = `update ${table} set config = jsonb_set(config, '{model}', to_jsonb($1::text))
        where workspace_id = $2 and provider_type = 'llm' and provider_name = 'anthropic'`;
      await pool.query({ name: table, text: set, values: [`model-${changed}`, workspaceId] });
    };
    /** @type {(import('./rounds.js').Contender & { change: (workspaceId: string) => Promise<void>, perSecond: number[] })[]} */
    const contenders = [
      { name: PLAIN, change: update('plain_providers'), perSecond: [] },
      { name: 'ours: workspace_providers', change: update('workspace_providers'), floor: PLAIN, perSecond: [] },
    ];
    const results = await inRounds(contenders, rounds, async ({ change, perSecond }) => {
      const timesNs = await whileWriting(turnMs, workspaceIds.slice(0, WRITERS), change);
      perSecond.push((timesNs.length / turnMs) * 1e3);
      const at = (/** @type {number} */ share) => timesNs[Math.floor(share * (timesNs.length - 1))];
      return { samples: timesNs.length, min: at(0), p50: at(0.5), p99: at(0.99), max: at(1) };
    });
    for (const [index, { perSecond }] of contenders.entries()) {
      results[index].counts = { 'a second': perSecond.sort((a, b) => a - b)[Math.floor(perSecond.length / 2)] };
    }
    return [{ title: `changes of ${WRITERS} writers, each commit flushed`, unit: 'ms', results }];
  } finally {
    clearInterval(renewing);
    await store.deregisterWorker(workerId);
    await Promise.all([pool.end(), store.close()]);
  }
}

/** @returns {Promise<number[]>} the time of each change, sorted */
async function whileWriting(turnMs, workspaceIds, change) {
  const timesNs = [];
  const untilMs = performance.now() + turnMs;
  const write = async (/** @type {string} */ workspaceId) => {
    while (performance.now() < untilMs) {
      const startedAtMs = performance.now();
      await change(workspaceId);
      timesNs.push((performance.now() - startedAtMs) * 1e6);
    }
  };
  await Promise.all(workspaceIds.map(write));
  return timesNs.sort((a, b) => a - b);
}
