/**
 * The plugin of a worker: it registers the activities, gives them the resolver, and serves the process's own task queue.
 * It keeps nothing about a worker, so it can be given to several workers, or to the connection that they share.
 */
import type { Worker, WorkerOptions } from '@temporalio/worker';
import type { ProviderActivities } from '../activities/provider-activities.js';
import type { GrantPolicy } from '../grants/policy.js';
import type { Reporter } from '../observer/observer.js';
import { ProviderError } from '../protocol/errors.js';
import type { ProviderResolver } from '../resolver/provider-resolver.js';
import { workspaceGuard } from './grant-guard.js';
import { redactingActivity } from './redacting-activity.js';
import { redactingDataConverter } from './redacting-codec.js';
import { notesReturn } from './result-limit.js';
import { traceContext } from './trace-context.js';
import { resolverInContext } from './with-provider.js';
import type { WorkerQueue } from './worker-queue.js';
import { checkBundle, WorkflowPlugin } from './workflow-plugin.js';

interface PluginParts {
  readonly resolver: ProviderResolver;
  readonly activities: ProviderActivities;
  readonly grants: GrantPolicy;
  readonly queue: WorkerQueue;
  readonly observer: Pick<Reporter, 'report'>;
}

export class ProvidersPlugin extends WorkflowPlugin {
  readonly #activities: ProviderActivities;
  readonly #queue: WorkerQueue;

  constructor({ resolver, activities, grants, queue, observer }: PluginParts) {
    super({
      activities: (own: object = {}) => withoutClash(own, activities),
      workerInterceptors: {
        activity: [
          traceContext,
          notesReturn,
          workspaceGuard(grants, activities, observer),
          () => ({ inbound: resolverInContext(resolver) }),
          redactingActivity,
        ],
      },
    });
    this.#activities = activities;
    this.#queue = queue;
  }

  override configureWorker(options: WorkerOptions): WorkerOptions {
    // Temporal also applies the plugins of the connection: to the worker of the process's own queue, and a second time
    // to a worker that has the plugin in its own list.
    if (options.taskQueue === this.#queue.taskQueue || this.#isIn(options)) return options;
    this.#queue.checkOpen();
    const configured = super.configureWorker(options);
    return { ...configured, dataConverter: redactingDataConverter(configured.dataConverter) };
  }

  override runWorker(worker: Worker, next: (worker: Worker) => Promise<void>): Promise<void> {
    if (worker.options.taskQueue === this.#queue.taskQueue) return next(worker);
    // The bundle may come from a plugin that follows in the list.
    checkBundle(worker.options);
    this.#queue.checkOpen();
    return this.#queue.during(worker, () => super.runWorker(worker, next));
  }

  #isIn({ activities = {} }: WorkerOptions): boolean {
    const registered = activities as Partial<ProviderActivities>;
    return registered.resolveLlmKey === this.#activities.resolveLlmKey;
  }
}

/** If two activities had the same name, Temporal would silently use the later one. */
function withoutClash(own: object, ours: ProviderActivities): object {
  const clash = Object.keys(own).find((name) => Object.hasOwn(ours, name));
  if (clash === undefined) return { ...own, ...ours };
  throw ProviderError.setupInvalid(
    `activities.${clash}`,
    'has the name of an activity of WorkspaceProviders: rename it, or give the worker one plugin instead of two',
  );
}
