/**
 * The latency of resolves while Postgres is away, hangs and comes back: workspaces that are in the cache (warm), and one
 * after the other that is not (cold). The lease is short, so that it ends during each outage.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ProviderResolver } from '../dist/index.js';
import { startLink } from './link.js';

const CALLERS = 5;
const PAUSE_MS = 5;

/**
 * @param {{ leaseMs: number, phaseMs: number }} settings
 * @param {import('./database.js').BenchDatabase} database
 * @returns {Promise<import('./report.js').Part[]>}
 */
export async function benchOutage({ leaseMs, phaseMs }, { resolverUrl, encryptionKey, workspaceIds }) {
  const link = await startLink(resolverUrl);
  const resolver = await ProviderResolver.connect({
    databaseUrl: link.url,
    rootKeys: encryptionKey,
    lease: `${leaseMs}ms`,
    cacheMax: Math.max(3, Math.floor(workspaceIds.length / 2) * 3),
    env: {},
  });
  const warm = workspaceIds.slice(0, Math.min(CALLERS, Math.floor(workspaceIds.length / 2)));
  const cold = workspaceIds.slice(warm.length);
  /** @type {{ name: string, state: import('./link.js').LinkState, ms: number }[]} */
  const phases = [
    { name: 'Postgres answers', state: 'open', ms: phaseMs },
    { name: 'it refuses, within the lease', state: 'refusing', ms: leaseMs / 2 },
    { name: 'it refuses, after the lease', state: 'refusing', ms: phaseMs + leaseMs / 2 },
    { name: 'it answers again', state: 'open', ms: phaseMs },
    { name: 'it hangs, within the lease', state: 'hanging', ms: leaseMs / 2 },
    { name: 'it hangs, after the lease', state: 'hanging', ms: phaseMs + leaseMs / 2 },
    { name: 'it answers again, after it hung', state: 'open', ms: phaseMs },
  ];
  /** @type {import('./report.js').Part[]} */
  const parts = [];
  try {
    for (const workspaceId of warm) await resolver.resolveLlmKey({ workspaceId, provider: 'anthropic' });
    const results = [];
    for (const { name, state, ms } of phases) {
      link.set(state);
      const untilMs = performance.now() + ms;
      const kinds = await Promise.all([
        whileAsking(resolver, untilMs, (call) => warm[call % warm.length]),
        whileAsking(resolver, untilMs, (call) => cold[call % cold.length]),
      ]);
      for (const [index, { timesNs, failed }] of kinds.entries()) {
        const at = (/** @type {number} */ share) => timesNs[Math.floor(share * (timesNs.length - 1))] ?? 0;
        const turn = { samples: timesNs.length, min: at(0), p50: at(0.5), p99: at(0.99), max: at(1) };
        const counts = { asked: timesNs.length, failed, 'ms at most': turn.max / 1e6 };
        results.push({
          name: `${index === 0 ? 'warm' : 'cold'}: ${name}`,
          p50: turn.p50,
          p99: turn.p99,
          rounds: [turn],
          counts,
        });
      }
    }
    parts.push({
      title: `resolves during outages, the lease ${leaseMs} ms, ${CALLERS} callers of each kind`,
      unit: 'ms',
      results,
    });
  } finally {
    link.set('open');
    await resolver.close();
    await link.stop();
  }
  return parts;
}

async function whileAsking(resolver, untilMs, workspaceOf) {
  const timesNs = [];
  let failed = 0;
  let calls = 0;
  const ask = async () => {
    while (performance.now() < untilMs) {
      const startedAtMs = performance.now();
      const workspaceId = workspaceOf(calls++);
      await resolver.resolveLlmKey({ workspaceId, provider: 'anthropic' }).catch(() => {
        failed += 1;
      });
      timesNs.push((performance.now() - startedAtMs) * 1e6);
      await delay(PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, ask));
  return { timesNs: timesNs.sort((a, b) => a - b), failed };
}
