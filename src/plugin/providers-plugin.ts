/** The plugin over one process's providers: activities, the resolver at hand in them, and the process's own queue. */
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
    // A plugin that was given to the connection is also handed the own queue's worker, which shares that connection.
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

/** Temporal would let the later of two activities of one name win in silence. */
function withoutClash(own: object, ours: ProviderActivities): object {
  const clash = Object.keys(own).find((name) => Object.hasOwn(ours, name));
  if (clash === undefined) return { ...own, ...ours };
  throw new Error(`this worker has an activity ${clash} of its own, which is a name of WorkspaceProviders: rename it`);
}
