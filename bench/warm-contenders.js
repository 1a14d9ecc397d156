/**
 * The contenders of the warm resolves: each makes a filled cache and returns a function that asks it. The floor is the
 * least work of such a cache: one `lru-cache` get, and a comparison with the monotonic clock.
 */
import { TTLCache } from '@isaacs/ttlcache';
import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { LRUCache } from 'lru-cache';
import { Observer } from '../dist/observer/observer.js';
import { ProviderTypes } from '../dist/providers/provider-types.js';
import { toOpened } from '../dist/resolver/workspace-entry.js';
import { listenWithOpenTelemetry } from '../dist/telemetry/opentelemetry.js';
import { resolverInMemory } from './memory-resolver.js';
import { createPeers, LEASE_MS } from './peers.js';
import { providersOf } from './workspaces.js';

/** @typedef {(workspaceIds: readonly string[]) => unknown} Contender returns a function that answers for a workspace */

export const FLOOR = 'floor: lru-cache get + clock';
/** @type {Record<string, string>} */
export const OURS = { synchronous: 'ours: peek', awaited: 'ours: resolveLlmKey' };

/** @type {Record<string, Contender>} */
export const SYNCHRONOUS = {
  [FLOOR]: floor,
  [OURS.synchronous]: async (workspaceIds) => {
    const resolver = await warmResolver(workspaceIds);
    return (id) => resolver.peek(id, 'llm', 'anthropic');
  },
  'lru-cache get, its own ttl': (workspaceIds) => {
    const cache = new LRUCache({ max: workspaceIds.length, ttl: LEASE_MS });
    for (const id of workspaceIds) cache.set(id, referenceTo(id));
    return (id) => cache.get(id);
  },
  '@isaacs/ttlcache get': (workspaceIds) => {
    const cache = new TTLCache({ max: workspaceIds.length, ttl: LEASE_MS });
    for (const id of workspaceIds) cache.set(id, referenceTo(id));
    return (id) => cache.get(id);
  },
};

/** @type {Record<string, Contender>} */
export const AWAITED = {
  [FLOOR]: (workspaceIds) => {
    const get = floor(workspaceIds);
    return async (id) => get(id);
  },
  [OURS.awaited]: async (workspaceIds) => {
    const resolver = await warmResolver(workspaceIds);
    return (id) => resolver.resolveLlmKey({ workspaceId: id, provider: 'anthropic' });
  },
  'ours, with a listener': async (workspaceIds) => {
    const observer = new Observer();
    const resolver = await warmResolver(workspaceIds, observer);
    observer.listen({ happened: () => {}, begins: () => undefined, ends: () => {} });
    return (id) => resolver.resolveLlmKey({ workspaceId: id, provider: 'anthropic' });
  },
  'ours, with metrics and spans of OpenTelemetry': async (workspaceIds) => {
    const observer = new Observer();
    const resolver = await warmResolver(workspaceIds, observer);
    listenWithMetrics(observer, resolver);
    return (id) => resolver.resolveLlmKey({ workspaceId: id, provider: 'anthropic' });
  },
  ...Object.fromEntries(
    createPeers(async () => ({}), 1).map(({ name }, index) => [
      name,
      (workspaceIds) => createPeers(async (id) => referenceTo(id), workspaceIds.length)[index].get,
    ]),
  ),
};

/** The answer of a hit. @param {string} workspaceId */
export function referenceTo(workspaceId) {
  const [{ type, name, config, secret }] = providersOf(workspaceId);
  return toOpened({ workspaceId, type, name }, ProviderTypes.builtIn.parse(type, name, config, secret), 1, 'workspace')
    .reference;
}

/** @param {readonly string[]} workspaceIds */
function floor(workspaceIds) {
  /** @type {LRUCache<string, { reference: object, requestedAtMs: number }>} */
  const cache = new LRUCache({ max: workspaceIds.length });
  for (const id of workspaceIds) cache.set(id, { reference: referenceTo(id), requestedAtMs: performance.now() });
  return (id) => {
    const entry = cache.get(id);
    return entry !== undefined && performance.now() - entry.requestedAtMs < LEASE_MS ? entry.reference : undefined;
  };
}

async function warmResolver(workspaceIds, observer = Observer.none) {
  const resolver = resolverInMemory(workspaceIds, providersOf, { observer });
  for (const id of workspaceIds) await resolver.resolveLlmKey({ workspaceId: id, provider: 'anthropic' });
  return resolver;
}

/** An SDK of OpenTelemetry that collects each second. @param {Observer} observer @param {ReturnType<typeof resolverInMemory>} resolver */
function listenWithMetrics(observer, resolver) {
  new NodeTracerProvider().register();
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000, exportTimeoutMillis: 500 });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  listenWithOpenTelemetry(observer, {
    version: 'bench',
    read: () => [
      {
        name: 'workspace_providers.cache.reads',
        value: resolver.parts.cache.counts.hit,
        attributes: { outcome: 'hit' },
      },
    ],
  });
}
