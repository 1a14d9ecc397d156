/** What an existing worker adds: the dependencies of the resolver, made once a process, and the plugin over them. */
import { SimplePlugin } from '@temporalio/plugin';
import { createActivities, type ProviderActivities } from '../activities/index.js';
import { createFetch } from '../providers/fetch.js';
import { DEFAULT_LEASE_MS, ProviderResolver } from '../resolver/provider-resolver.js';
import { Sealer } from '../sealing/sealer.js';
import { openProviderStore } from '../store/provider-store.js';
import { resolverInContext } from './context.js';
import { type ProviderConfig, providerConfigFromEnv } from './provider-config.js';

/**
 * The providers of this process's workspaces: a connection pool, a cache and an HTTP client. One a process.
 *
 * @example
 * const providers = await WorkspaceProviders.connect();
 * const worker = await Worker.create({ taskQueue: 'agents', workflowsPath, plugins: [providers.plugin()] });
 */
export class WorkspaceProviders {
  private constructor(
    /** For what is neither a workflow nor an activity of a worker with the plugin. */
    readonly resolver: ProviderResolver,
    /** What the plugin registers, for a worker that composes its activities by hand. */
    readonly activities: ProviderActivities,
    private readonly closeAll: () => Promise<void>,
  ) {}

  /**
   * Connects, and checks that the database role is fit for a worker.
   *
   * @param config - default: from the environment; see `docs/configuration.md`
   * @throws ProviderError `ProviderConfigInvalid` for a setting or a role that does not fit, `StoreUnavailable`
   */
  static async connect(config: ProviderConfig = providerConfigFromEnv(process.env)): Promise<WorkspaceProviders> {
    const store = openProviderStore(config.store);
    const http = createFetch();
    try {
      await store.preflight();
    } catch (error) {
      await Promise.all([store.close(), http.close()]);
      throw error;
    }
    const resolver = new ProviderResolver({
      store,
      sealer: new Sealer(config.rootKeyring),
      fetch: http.fetch,
      fallback: config.fallback,
      leaseMs: config.leaseMs,
      maxProviders: config.maxProviders,
    });
    const sweeping = setInterval(() => resolver.sweep(), config.leaseMs ?? DEFAULT_LEASE_MS).unref();
    return new WorkspaceProviders(resolver, createActivities({ resolver }), async () => {
      clearInterval(sweeping);
      resolver.clear();
      await Promise.all([store.close(), http.close()]);
    });
  }

  /** For `plugins` of `Worker.create`: registers the activities and lets the worker's own ones use `withProvider`. */
  plugin(): SimplePlugin {
    return new SimplePlugin({
      name: 'workspace-providers.WorkspaceProviders',
      activities: (own: object = {}) => withoutClash(own, this.activities),
      workerInterceptors: { activity: [() => ({ inbound: resolverInContext(this.resolver) })] },
    });
  }

  /** Forgets every credential and closes pool and HTTP client. After the worker has stopped. */
  close(): Promise<void> {
    return this.closeAll();
  }
}

/** Temporal would let the later of two activities of one name win in silence. */
function withoutClash(own: object, ours: ProviderActivities): object {
  const clash = Object.keys(own).find((name) => Object.hasOwn(ours, name));
  if (clash === undefined) return { ...own, ...ours };
  throw new Error(`this worker has an activity ${clash} of its own, which is a name of WorkspaceProviders: rename it`);
}
