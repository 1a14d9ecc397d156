/** What an existing worker adds: the resolver of this process, and the plugin that uses it. */
import { asyncLocalStorage, Context } from '@temporalio/activity';
import type { SimplePlugin } from '@temporalio/plugin';
import { createProviderActivities, type ProviderActivities } from '../activities/provider-activities.js';
import { createWorkerQueueActivities } from '../activities/worker-queue-activities.js';
import {
  type ProviderConfig,
  type ProviderOptions,
  readConfig,
  readProviderConfig,
} from '../config/resolver-config.js';
import type { LeaseCounts } from '../fence/lease-keeper.js';
import { type GrantPolicy, NO_GRANTS, warnOfNoGrants } from '../grants/policy.js';
import type { Observer } from '../observer/observer.js';
import type { OwnTypes } from '../providers/credentials.js';
import { warnOfWeakSecrets } from '../redaction/opened-secrets.js';
import { type ConnectedParts, connectParts } from '../resolver/connect-parts.js';
import { ProviderResolver } from '../resolver/provider-resolver.js';
import type { CallerOf } from '../resolver/use-audit.js';
import type { CacheCounts } from '../resolver/workspace-cache.js';
import { checkActivityInternals } from '../sdk/internals.js';
import { workspaceScope } from './grant-guard.js';
import type { MetricsSource } from './metrics-server.js';
import { ProvidersPlugin } from './providers-plugin.js';
import { WorkerQueue } from './worker-queue.js';
import { WorkflowPlugin } from './workflow-plugin.js';

/** What this process's cache, lease and audit did since it started. */
export interface ProviderCounts extends CacheCounts, LeaseCounts {
  /** The newest epoch whose changes have left the cache. */
  readonly appliedEpoch: number;
  /** The number of uses that are missing in the audit: there was no room to hold them, or they could not be stored. */
  readonly usesLost: number;
}

/** What a server of metrics reads. A symbol, so that it is no part of the public type. */
export const metricsSource = Symbol('metrics');

/**
 * The providers of all workspaces, for the workers of this process: a connection pool, a cache with its lease, and an
 * HTTP client. Connect once per process.
 *
 * @example
 * const providers = await WorkspaceProviders.connect();
 * const worker = await Worker.create({ taskQueue: 'agents', workflowsPath, plugins: [providers.plugin()] });
 * await worker.run();
 * @typeParam Types - the provider types of your own that it was connected with
 */
export class WorkspaceProviders<Types extends OwnTypes = []> {
  readonly #parts: ConnectedParts;
  readonly #grants: GrantPolicy;
  readonly #granted: ProviderResolver<Types>;
  readonly #queue: WorkerQueue;

  /**
   * The resolver without grants, for code that is neither a workflow nor an activity: it serves every workspace that
   * the code names.
   */
  readonly resolver: ProviderResolver<Types>;

  /** What the plugin registers. @internal */
  readonly activities: ProviderActivities;

  private constructor(parts: ConnectedParts, grants: GrantPolicy) {
    this.#parts = parts;
    this.#grants = grants;
    this.resolver = ProviderResolver.of<Types>(parts);
    this.#granted = this.resolver.scopedTo(workspaceScope(grants));
    this.activities = createProviderActivities(this.#granted);
    this.#queue = new WorkerQueue(parts.worker.taskQueue, createWorkerQueueActivities(parts), grants, parts);
  }

  /**
   * Connects to Postgres, and checks that the login is fit for a worker. The cache's lease is taken when the first
   * worker runs, or when something is resolved: until then, no fence waits for this process.
   *
   * @param options - an absent option is read from the environment: docs/configuration.md
   * @throws ProviderError `SetupInvalid` if a setting or the login does not fit, `StoreUnavailable`
   */
  static async connect<const Types extends OwnTypes = []>(
    options: ProviderOptions<Types> = {},
  ): Promise<WorkspaceProviders<Types>> {
    return WorkspaceProviders.open(readConfig(options, readProviderConfig));
  }

  /** Connects with settings that the process has already read. @internal */
  static async open<Types extends OwnTypes = []>(
    config: ProviderConfig,
    observer?: Observer,
  ): Promise<WorkspaceProviders<Types>> {
    checkActivityInternals(Context);
    if (config.grants === NO_GRANTS) warnOfNoGrants();
    else await config.grants.preflight();
    const grantKeys = config.grants === NO_GRANTS ? undefined : config.grants;
    const parts = await connectParts(config, { callerOf: runningWorkflow, grantKeys, observer });
    warnOfWeakSecrets();
    return new WorkspaceProviders<Types>(parts, config.grants);
  }

  /** Takes the lease before the first worker runs. @throws ProviderError `StoreUnavailable` @internal */
  begin(): Promise<void> {
    return this.#parts.begin();
  }

  /** @internal */
  get [metricsSource](): MetricsSource {
    const { observer, readMetrics, telemetryWorkspaces, lease } = this.#parts;
    const readiness = async () => ({
      lease: lease.isHeld(),
      temporal: await this.#queue.isPolled(),
      grantKeys: this.#grants === NO_GRANTS || this.#grants.isInEffect,
    });
    return { observer, readMetrics, telemetryWorkspaces, readiness };
  }

  get counts(): ProviderCounts {
    const { cache, keeper, lease, audit } = this.#parts;
    return { ...cache.counts, ...keeper.counts, appliedEpoch: lease.appliedEpoch, usesLost: audit.usesLost };
  }

  /** The id of this process in the table `resolver_workers`. */
  get workerId(): string {
    return this.#parts.worker.workerId;
  }

  /**
   * Returns the part of the plugin that concerns workflow code, for programs that run no activities: a build that makes
   * a workflow bundle, a test that replays histories, a worker that runs only workflows. It needs no database and no setting.
   *
   * @example
   * const { code } = await bundleWorkflowCode({ workflowsPath, plugins: [WorkspaceProviders.workflowPlugin()] });
   */
  static workflowPlugin(): SimplePlugin {
    return new WorkflowPlugin();
  }

  /**
   * Returns a plugin for `Worker.create`, or for the `NativeConnection` that workers share. It registers the
   * activities, lets the worker's own activities use `withProvider`, adds the workflow interceptors to the bundle, and
   * serves this process's own task queue while the worker runs. When the last worker has ended, it closes these
   * providers. It also works where {@link workflowPlugin} does. On a `Client` or a `Connection` it changes nothing.
   */
  plugin(): SimplePlugin {
    return new ProvidersPlugin({
      resolver: this.#granted,
      activities: this.activities,
      grants: this.#grants,
      queue: this.#queue,
      observer: this.#parts.observer,
    });
  }

  /**
   * Drops every credential, releases the lease, and closes the pool and the HTTP client. Idempotent. The plugin calls
   * it when the last worker has ended. If no worker ran, it is called when the process has nothing left to do.
   */
  close(): Promise<void> {
    return this.#parts.close();
  }
}

/** The workflow whose activity is running, for the audit. */
export const runningWorkflow: CallerOf = () => {
  const { info } = asyncLocalStorage.getStore() ?? {};
  return info && { workflowType: info.workflowType ?? '', workflowId: info.workflowExecution?.workflowId ?? '' };
};
