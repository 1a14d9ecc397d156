/** The plugin: it registers the activities, gives them the resolver, and serves the process's own task queue. */
import { SimplePlugin } from '@temporalio/plugin';
import type { Worker, WorkerOptions } from '@temporalio/worker';
import type { ProviderActivities } from '../activities/provider-activities.js';
import type { GrantPolicy } from '../grants/policy.js';
import type { ProviderResolver } from '../resolver/provider-resolver.js';
import { workspaceGuard } from './grant-guard.js';
import { redactingActivity } from './redacting-activity.js';
import { resolverInContext } from './with-provider.js';
import type { WorkerQueue } from './worker-queue.js';
import { workflowModules } from './workflow-source.js';

interface PluginParts {
  readonly resolver: ProviderResolver;
  readonly activities: ProviderActivities;
  readonly grants: GrantPolicy;
  readonly queue: WorkerQueue;
}

export class ProvidersPlugin extends SimplePlugin {
  #host: Pick<WorkerOptions, 'connection' | 'namespace' | 'identity' | 'taskQueue' | 'dataConverter'> | undefined;

  readonly #queue: WorkerQueue;

  constructor({ resolver, activities, grants, queue }: PluginParts) {
    super({
      name: 'workspace-providers.WorkspaceProviders',
      activities: (own: object = {}) => withoutClash(own, activities),
      workerInterceptors: {
        activity: [
          workspaceGuard(grants, activities),
          () => ({ inbound: resolverInContext(resolver) }),
          redactingActivity,
        ],
      },
    });
    this.#queue = queue;
  }

  override configureWorker(options: WorkerOptions): WorkerOptions {
    // If the plugin was given to the connection, it is applied to the worker of the process's own queue too.
    if (options.taskQueue === this.#queue.taskQueue) return options;
    this.#host = options;
    const { interceptors, ...configured } = super.configureWorker(options);
    const modules = workflowModules(configured, options.interceptors?.workflowModules);
    return { ...configured, interceptors: { ...interceptors, workflowModules: modules } };
  }

  override runWorker(worker: Worker, next: (worker: Worker) => Promise<void>): Promise<void> {
    if (worker.options.taskQueue === this.#queue.taskQueue) return next(worker);
    return this.#queue.during(this.#host ?? {}, () => super.runWorker(worker, next));
  }
}

/** If two activities had the same name, Temporal would silently use the later one. */
function withoutClash(own: object, ours: ProviderActivities): object {
  const clash = Object.keys(own).find((name) => Object.hasOwn(ours, name));
  if (clash === undefined) return { ...own, ...ours };
  throw new Error(`the worker's activity ${clash} has the name of an activity of WorkspaceProviders: rename it`);
}
