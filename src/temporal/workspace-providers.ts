/** What an existing worker adds: the dependencies of the resolver, made once a process, and the plugin over them. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { createActivities, type ProviderActivities } from '../activities/index.js';
import { createOwnQueueActivities } from '../activities/own-queue.js';
import { Janitor } from '../fence/janitor.js';
import { DEFAULT_LEASE_MS, Lease } from '../fence/lease.js';
import { type LeaseCounts, LeaseKeeper } from '../fence/lease-keeper.js';
import type { WorkerRegistration } from '../protocol/workers.js';
import { createFetch } from '../providers/fetch.js';
import { GrantedResolver } from '../resolver/granted-resolver.js';
import { ProviderResolver } from '../resolver/provider-resolver.js';
import type { CacheCounts } from '../resolver/workspace-cache.js';
import { Sealer } from '../sealing/sealer.js';
import { type ChangeListener, listenForChanges } from '../store/change-listener.js';
import { openProviderStore, type ProviderStore } from '../store/provider-store.js';
import { BUILD } from './build.js';
import { type GrantPolicy, workspaceScope } from './grant-guard.js';
import { NO_GRANTS, warnOfNoGrants } from './no-grants.js';
import { OwnQueue } from './own-queue.js';
import { ProvidersPlugin } from './plugin.js';
import { DEFAULT_LONGEST_STEP_MS, type ProviderConfig, providerConfigFromEnv } from './provider-config.js';
import { StepAudit } from './step-audit.js';
import { startUpkeep } from './upkeep.js';

/** What this process's cache, lease and audit did since it started. */
export interface ProviderCounts extends CacheCounts, LeaseCounts {
  /** The newest epoch whose changes have left the cache. */
  readonly appliedEpoch: number;
  /** How many uses of credentials are missing in the audit: there was no room to hold them, or no way to store them. */
  readonly usesLost: number;
}

interface Parts {
  readonly worker: WorkerRegistration;
  readonly resolver: ProviderResolver;
  /** The resolver for activities. */
  readonly granted: GrantedResolver;
  readonly grants: GrantPolicy;
  readonly activities: ProviderActivities;
  readonly lease: Lease;
  readonly keeper: LeaseKeeper;
  readonly audit: StepAudit;
  readonly ownQueue: OwnQueue;
  readonly closeAll: () => Promise<void>;
}

/**
 * The providers of this process's workspaces: a connection pool, a cache with its lease, and an HTTP client. One a
 * process.
 *
 * @example
 * const providers = await WorkspaceProviders.connect();
 * const worker = await Worker.create({ taskQueue: 'agents', workflowsPath, plugins: [providers.plugin()] });
 */
export class WorkspaceProviders {
  private constructor(private readonly parts: Parts) {}

  /**
   * Connects, checks that the database role is fit for a worker, and takes the cache's lease.
   *
   * @param config - default: from the environment; see `docs/configuration.md`
   * @throws ProviderError `ProviderConfigInvalid` for a setting or a role that does not fit, `StoreUnavailable`
   */
  static async connect(config: ProviderConfig = providerConfigFromEnv(process.env)): Promise<WorkspaceProviders> {
    const store = openProviderStore(config.store);
    const http = createFetch({ egress: config.egress });
    const lease = new Lease(config.leaseMs ?? DEFAULT_LEASE_MS);
    const worker = registrationOf(config, lease);
    const audit = new StepAudit(store, worker.identity);
    const resolver = new ProviderResolver({
      store,
      sealer: new Sealer(config.rootKeyring),
      fetch: http.fetch,
      fallback: config.fallback,
      lease,
      maxProviders: config.maxProviders,
      audit,
    });
    const keeper = new LeaseKeeper({ store, worker, lease, cache: resolver.cache });
    try {
      if (config.grants === NO_GRANTS) warnOfNoGrants();
      else await config.grants.preflight();
      await store.preflight();
      await keeper.start();
    } catch (error) {
      await Promise.all([store.close(), http.close()]);
      throw error;
    }
    audit.start();
    const listener = listen(config, keeper);
    const endUpkeep = startUpkeep(lease.leaseMs, () => resolver.cache.sweep(), new Janitor(store));
    const granted = new GrantedResolver(resolver, workspaceScope(config.grants));
    return new WorkspaceProviders({
      worker,
      resolver,
      granted,
      grants: config.grants,
      activities: createActivities({ resolver: granted }),
      lease,
      keeper,
      audit,
      ownQueue: new OwnQueue(
        worker.taskQueue,
        createOwnQueueActivities({ lease, keeper, scopes: resolver.openScopes }),
        config.grants,
      ),
      closeAll: () => close({ store, keeper, audit, listener, endUpkeep, closeHttp: () => http.close() }),
    });
  }

  /** For what is neither a workflow nor an activity of a worker with the plugin: it takes any workspace, and no grant. */
  get resolver(): ProviderResolver {
    return this.parts.resolver;
  }

  /** What the plugin registers. Without it they are of use where grants are off: the plugin's interceptor verifies them. */
  get activities(): ProviderActivities {
    return this.parts.activities;
  }

  get counts(): ProviderCounts {
    const { resolver, keeper, lease, audit } = this.parts;
    const { appliedEpoch } = lease;
    return { ...resolver.cache.counts, ...keeper.counts, appliedEpoch, usesLost: audit.usesLost };
  }

  /** What this process is called in `resolver_workers`. */
  get workerId(): string {
    return this.parts.worker.workerId;
  }

  /**
   * For `plugins` of `Worker.create`: registers the activities, lets the worker's own ones use `withProvider`, and
   * serves this process's own task queue while the worker runs. One for each worker.
   */
  plugin(): ProvidersPlugin {
    const { granted, activities, grants, ownQueue } = this.parts;
    return new ProvidersPlugin({ resolver: granted, activities, grants, ownQueue });
  }

  /** Forgets every credential, gives the lease back, closes pool and HTTP client. After the worker has stopped. */
  close(): Promise<void> {
    return this.parts.closeAll();
  }
}

function registrationOf({ identity, longestStepMs }: ProviderConfig, { leaseMs }: Lease): WorkerRegistration {
  const workerId = randomUUID();
  return {
    workerId,
    taskQueue: `workspace-providers/${workerId}`,
    identity: identity ?? `${process.pid}@${hostname()}`,
    build: BUILD,
    leaseMs,
    longestStepMs: longestStepMs ?? DEFAULT_LONGEST_STEP_MS,
  };
}

function listen({ listenUrl, store }: ProviderConfig, { nudge }: LeaseKeeper): ChangeListener | undefined {
  return listenUrl === 'off' ? undefined : listenForChanges(listenUrl ?? store.databaseUrl, nudge);
}

async function close(parts: {
  readonly store: ProviderStore;
  readonly keeper: LeaseKeeper;
  readonly audit: StepAudit;
  readonly listener: ChangeListener | undefined;
  readonly endUpkeep: () => void;
  readonly closeHttp: () => Promise<void>;
}): Promise<void> {
  parts.endUpkeep();
  await parts.listener?.close();
  await Promise.all([parts.keeper.stop(), parts.audit.stop()]);
  await Promise.all([parts.store.close(), parts.closeHttp()]);
}
