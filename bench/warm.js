/**
 * A warm resolve: the cache holds the workspace, its lease runs, its credential is open. The floor is the least that
 * such a cache does: one `lru-cache` get, and a comparison with the monotonic clock.
 */
import { TTLCache } from '@isaacs/ttlcache';
import { LRUCache } from 'lru-cache';
import { ProviderResolver } from '../dist/resolver/provider-resolver.js';
import { Sealer } from '../dist/sealing/sealer.js';
import { createPeers, LEASE_MS } from './peers.js';
import { inRounds, turnOfMs } from './rounds.js';
import { createRootKeyring, createWorkspaceIds, providersOf } from './workspaces.js';

const FLOOR = 'floor: lru-cache get + clock';
const AIM = 1.5;
const HOT = 100;
/** A power of two: the next one is an addition and a mask away. */
const SEQUENCE_LENGTH = 1 << 16;

/**
 * @param {{ rounds: number, turnMs: number, workspaces: number }} settings
 * @returns {Promise<import('./report.js').Part[]>}
 */
export async function benchWarm({ rounds, turnMs, workspaces }) {
  const workspaceIds = createWorkspaceIds(workspaces);
  const resolver = await createResolver(workspaceIds);
  const references = new Map();
  for (const id of workspaceIds) {
    await resolver.resolveLlmKey(id, 'anthropic');
    references.set(id, resolver.peek(id, 'llm', ['anthropic']));
  }
  const contenders = createContenders(resolver, references);
  for (const contender of Object.values(contenders).flat()) await fill(contender, references);

  /** @type {import('./report.js').Part[]} */
  const parts = [];
  for (const [which, ids] of /** @type {const} */ ([
    [`${HOT} hot workspaces`, workspaceIds.slice(0, HOT)],
    [`random over ${workspaces} workspaces`, workspaceIds],
  ])) {
    const sequence = Array.from({ length: SEQUENCE_LENGTH }, () => ids[Math.floor(Math.random() * ids.length)]);
    for (const [how, theirs] of Object.entries(contenders)) {
      const walking = theirs.map(({ get, ...contender }) => ({ ...contender, run: walk(sequence, get) }));
      const results = await inRounds(walking, rounds, turnOfMs(turnMs));
      parts.push({ title: `warm resolve, ${how}, ${which}`, unit: 'ns', results });
    }
  }
  return parts;
}

/** @returns {Record<string, (import('./rounds.js').Contender & { get: (id: string) => unknown })[]>} */
function createContenders(resolver, references) {
  const max = references.size;
  /** @type {LRUCache<string, { reference: object, requestedAtMs: number }>} */
  const floorCache = new LRUCache({ max });
  const lruCache = new LRUCache({ max, ttl: LEASE_MS });
  const ttlCache = new TTLCache({ max, ttl: LEASE_MS });
  for (const [id, reference] of references) {
    floorCache.set(id, { reference, requestedAtMs: performance.now() });
    lruCache.set(id, reference);
    ttlCache.set(id, reference);
  }
  const floor = (id) => {
    const entry = floorCache.get(id);
    return entry !== undefined && performance.now() - entry.requestedAtMs < LEASE_MS ? entry.reference : undefined;
  };
  const names = ['anthropic'];
  const peers = createPeers(async (id) => references.get(id), max);
  return {
    synchronous: [
      { name: FLOOR, get: floor },
      { name: 'ours: peek', get: (id) => resolver.peek(id, 'llm', names), floor: FLOOR, aim: AIM },
      { name: 'lru-cache get, its own ttl', get: (id) => lruCache.get(id), floor: FLOOR },
      { name: '@isaacs/ttlcache get', get: (id) => ttlCache.get(id), floor: FLOOR },
    ],
    awaited: [
      { name: FLOOR, get: async (id) => floor(id) },
      { name: 'ours: resolveLlmKey', get: (id) => resolver.resolveLlmKey(id, 'anthropic'), floor: FLOOR, aim: AIM },
      ...peers.map((peer) => ({ ...peer, floor: FLOOR })),
    ],
  };
}

/** A peer loads what it has not; whoever answers with something else, or nothing, would be measured at that. */
async function fill({ name, get }, references) {
  for (const [id, reference] of references) {
    if ((await get(id)) !== reference) throw new Error(`${name} does not answer with what it was given`);
  }
}

/** Over a store in memory: what is warm asks no database. */
async function createResolver(workspaceIds) {
  const sealer = new Sealer(createRootKeyring(), { maxDataKeys: workspaceIds.length });
  const snapshots = new Map();
  for (const workspaceId of workspaceIds) {
    const dataKey = await sealer.createDataKey(workspaceId);
    const providers = [];
    for (const { type, name, config, secret } of providersOf(workspaceId)) {
      const encryptedConfig = await sealer.seal({ workspaceId, type, name }, JSON.stringify(secret), dataKey);
      providers.push({ type, name, config, encryptedConfig, status: /** @type {const} */ ('active'), version: 1 });
    }
    snapshots.set(workspaceId, { epoch: 0, dataKeys: [dataKey], providers });
  }
  const store = { readWorkspace: async (/** @type {string} */ workspaceId) => snapshots.get(workspaceId) };
  const maxProviders = workspaceIds.length * providersOf('').length;
  return new ProviderResolver({ store, sealer, fetch, leaseMs: LEASE_MS, maxProviders });
}

function walk(sequence, get) {
  let next = 0;
  return () => {
    next = (next + 1) & (SEQUENCE_LENGTH - 1);
    return get(sequence[next]);
  };
}
