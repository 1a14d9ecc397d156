/** What a resolver is made of, and how the parts are connected to Postgres and to each other. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { BUILD } from '../config/package-version.js';
import type { ResolverConfig } from '../config/resolver-config.js';
import { createFetch, type Fetch, type HttpClient } from '../egress/http-client.js';
import { ClockDifference } from '../fence/clock-difference.js';
import { DEFAULT_LEASE_MS, Lease } from '../fence/lease.js';
import { type LeasedCache, LeaseKeeper } from '../fence/lease-keeper.js';
import { LoadLimit } from '../fence/load-limit.js';
import { Observer, type Reporter } from '../observer/observer.js';
import { PlatformFallback } from '../providers/platform-fallback.js';
import { ProviderTypes } from '../providers/provider-types.js';
import { Sealer } from '../sealing/sealer.js';
import { type ChangeListener, listenForChanges } from '../store/change-listener.js';
import type { WorkerRegistration } from '../store/ports.js';
import { checkNow, watchPreflight } from '../store/preflight-watch.js';
import { openProviderStore, type ProviderStore } from '../store/provider-store.js';
import type { ReadMetrics } from '../telemetry/metrics-table.js';
import { listenWithOpenTelemetry } from '../telemetry/opentelemetry.js';
import { checkRootKeys } from './check-root-keys.js';
import { closeAtExit } from './close-at-exit.js';
import { OpenScopes } from './open-scopes.js';
import { readMetrics } from './read-metrics.js';
import { StepLimiter } from './step-limiter.js';
import { type CallerOf, UseAudit, type UseCounter } from './use-audit.js';
import { UseCounts } from './use-counts.js';
import { WorkspaceCache } from './workspace-cache.js';
import { WorkspaceEntry } from './workspace-entry.js';

export interface ResolverParts {
  /** The workspaces that were read, under the lease. */
  readonly cache: WorkspaceCache;
  /** Which credentials callbacks hold at this moment. */
  readonly scopes: OpenScopes;
  readonly fallback: PlatformFallback;
  /** Given to callbacks, so that every call to a service leaves through one HTTP client. */
  readonly fetchFor: (type: string) => Fetch;
  readonly types: ProviderTypes;
  readonly limiter: StepLimiter;
  readonly audit?: UseCounter;
  readonly observer: Reporter;
  close(): Promise<void>;
}

/** The parts of a process that keeps a lease. */
export interface ConnectedParts extends ResolverParts {
  readonly worker: WorkerRegistration;
  readonly lease: Lease;
  readonly keeper: LeaseKeeper;
  readonly audit: UseAudit;
  readonly observer: Observer;
  readonly readMetrics: ReadMetrics;
  readonly telemetryWorkspaces: readonly string[];
  /**
   * Takes the lease and starts the background tasks, unless that was done. The first read does it too.
   *
   * @throws ProviderError `StoreUnavailable`; nothing was started then
   */
  begin(): Promise<void>;
  isClosed(): boolean;
}

/** The key set of grants that a process uses, for its row. */
export interface WatchedKeySet {
  /** A digest. */
  readonly revision: string;
  /** @returns what ends it */
  watch(changed: () => void): () => void;
  /** How long ago it was read, in milliseconds. `undefined` if it is not read. */
  readonly keySetAgeMs: number | undefined;
}

export interface ConnectOptions {
  readonly callerOf?: CallerOf | undefined;
  readonly grantKeys?: WatchedKeySet | undefined;
  readonly observer?: Observer | undefined;
}

export interface PartsDependencies {
  readonly store: Pick<ProviderStore, 'readWorkspace'>;
  readonly sealer: Pick<Sealer, 'open'>;
  readonly fetch: Fetch;
  /** The same client with the limits of a provider type. Default: `fetch` for each type. */
  readonly within?: HttpClient['within'];
  /** Default: the types of this package. */
  readonly types?: ProviderTypes;
  /** Default: no fallback. */
  readonly fallback?: PlatformFallback;
  /** The lease under which the cache answers. Default: one that is never held, so every read goes to the database. */
  readonly lease?: Lease;
  /** Default: one that is never in force. */
  readonly loadLimit?: LoadLimit;
  /** The number of providers that the cache holds. Default: 10,000. */
  readonly maxProviders?: number;
  /** The number of steps of one workspace at the same time. Default: 25. */
  readonly stepsPerWorkspace?: number;
  readonly audit?: UseCounter;
  /** Default: one that nobody can listen to. */
  readonly observer?: Reporter;
  /** Called before each read of the database. Default: nothing to begin. */
  readonly begin?: () => Promise<void>;
  /** Default: nothing to close. */
  readonly close?: () => Promise<void>;
}

export function createParts(dependencies: PartsDependencies): ResolverParts {
  const { store, audit, lease = new Lease(DEFAULT_LEASE_MS), maxProviders = 10_000 } = dependencies;
  const { loadLimit = new LoadLimit(), types = ProviderTypes.builtIn } = dependencies;
  const load = async (workspaceId: string) => {
    await dependencies.begin?.();
    const snapshot = await loadLimit.run((signal) => store.readWorkspace(workspaceId, signal));
    return new WorkspaceEntry(workspaceId, snapshot, { ...dependencies, types }, lease.now().monotonicMs);
  };
  return {
    cache: new WorkspaceCache({ lease, maxProviders, load }),
    scopes: new OpenScopes(),
    fallback: dependencies.fallback ?? PlatformFallback.off,
    fetchFor: fetchPerType(dependencies, types),
    types,
    limiter: new StepLimiter(dependencies.stepsPerWorkspace ?? 25),
    audit,
    observer: dependencies.observer ?? Observer.none,
    close: dependencies.close ?? (async () => {}),
  };
}

function fetchPerType({ fetch, within }: PartsDependencies, types: ProviderTypes): ResolverParts['fetchFor'] {
  const limited = types.stepNames.map((type) => {
    const { limits } = types.get(type);
    return [type, limits && within ? within(limits) : fetch] as const;
  });
  const fetches = new Map<string, Fetch>(limited);
  return (type) => fetches.get(type) ?? fetch;
}

/**
 * Connects to Postgres, and checks that the login fits a worker. The lease is taken later, by `begin`: a start that
 * fails after this leaves no row that a fence would wait for.
 *
 * @param options.callerOf - names the workflow that a credential is given to, for the audit
 * @param options.grantKeys - shown in the row of the process. Default: it checks no grants
 * @throws ProviderError `SetupInvalid` for a login or root keys that do not fit, `StoreUnavailable`
 */
export async function connectParts(
  config: ResolverConfig,
  { callerOf, grantKeys, observer = new Observer() }: ConnectOptions = {},
): Promise<ConnectedParts> {
  const { rootKeyring, egress, types, fallback, maxProviders, stepsPerWorkspace } = config;
  const store = openProviderStore({ ...config.database, observer });
  const http = createFetch({ egress, observer });
  const lease = new Lease(config.leaseMs);
  const loadLimit = new LoadLimit();
  const worker = registrationOf(config);
  const audit = new UseAudit(store, worker.identity, callerOf, new UseCounts(), observer);
  observer.listen(audit.listener);
  const sealer = new Sealer(rootKeyring);
  let beginning: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  let listener: ChangeListener | undefined;
  let sweeping: NodeJS.Timeout | undefined;
  let endWatch = () => {};
  let endKeys = () => {};
  let endTelemetry = () => {};
  const begin = async () => {
    // After the end, the store refuses the read itself.
    if (closing) return;
    beginning ??= start().catch((error: unknown) => {
      beginning = undefined;
      throw error;
    });
    await beginning;
  };
  const parts = createParts({
    ...{ store, sealer, fetch: http.fetch, within: http.within, types, fallback, lease },
    ...{ maxProviders, stepsPerWorkspace, audit, begin, loadLimit, observer },
  });
  const clocks = new ClockDifference((text) => process.emitWarning(text, 'WorkspaceProvidersWarning'));
  const { cache, scopes } = parts;
  const keeper = new LeaseKeeper({
    ...{ store, worker, lease, cache: outdating(cache, scopes), held: () => scopes.outdated() },
    isHolding: () => !scopes.isEmpty,
    ...{ onClock: clocks.observe, onRenewal: loadLimit.onRenewal, observer },
    onNewLineage: () => void checkNow(store.preflight),
    grantKeys: () => grantKeys?.revision ?? '',
  });
  const start = async () => {
    await keeper.start();
    if (closing) return;
    scopes.watch(keeper.nudge);
    audit.start();
    listener = config.listenUrl === 'off' ? undefined : listenForChanges(config.listenUrl, keeper.nudge);
    endWatch = watchPreflight(store.preflight);
    endKeys = grantKeys?.watch(keeper.nudge) ?? endKeys;
    sweeping = setInterval(() => parts.cache.sweep(), lease.leaseMs).unref();
  };
  const closeAll = async () => {
    endTelemetry();
    endWatch();
    endKeys();
    clearInterval(sweeping);
    await listener?.close();
    // Only a registered worker may record uses.
    await audit.stop();
    // Ends requests in flight, which hold their credentials.
    await http.close();
    await keeper.stop();
    await store.close();
  };
  try {
    await rootKeyring.preflight();
    await store.preflight();
    await checkRootKeys(rootKeyring, store);
  } catch (error) {
    await Promise.all([store.close(), http.close()]);
    throw error;
  }
  const read = () => readMetrics({ ...parts, keeper, lease, audit, keySetAgeMs: grantKeys?.keySetAgeMs });
  const { telemetryWorkspaces } = config;
  endTelemetry = listenWithOpenTelemetry(observer, { workspaces: telemetryWorkspaces, version: BUILD, read });
  const close = () => {
    closing ??= closeAll().finally(withdraw);
    return closing;
  };
  const withdraw = closeAtExit(close);
  const telemetry = { observer, readMetrics: read, telemetryWorkspaces };
  return { ...parts, worker, lease, keeper, audit, ...telemetry, begin, isClosed: () => closing !== undefined, close };
}

/** What is removed from the cache may still be held by callbacks. */
export function outdating(cache: LeasedCache, scopes: OpenScopes): LeasedCache {
  return {
    invalidate(workspaceIds, epoch) {
      scopes.outdate(workspaceIds);
      cache.invalidate(workspaceIds, epoch);
    },
    clear() {
      scopes.outdate();
      cache.clear();
    },
  };
}

function registrationOf({ identity, leaseMs, longestStepMs }: ResolverConfig): WorkerRegistration {
  const workerId = randomUUID();
  return {
    workerId,
    taskQueue: `workspace-providers/${workerId}`,
    identity: identity ?? `${process.pid}@${hostname()}`,
    build: BUILD,
    leaseMs,
    longestStepMs,
  };
}
