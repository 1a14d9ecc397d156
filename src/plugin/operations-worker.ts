/**
 * The worker of rotations and schedules. Its login may change providers, so it is separate from the workers of steps,
 * whose logins may not. It may run in the same process or in another one.
 */
import type { DataConverter } from '@temporalio/common';
import { type NativeConnection, Worker, type WorkerInterceptors } from '@temporalio/worker';
import { createOperationActivities } from '../activities/rotation-activities.js';
import { BUILD } from '../config/package-version.js';
import type { OperationsConfig } from '../config/worker-config.js';
import { CHECK_LIMITS, createFetch } from '../egress/http-client.js';
import { Janitor } from '../fence/janitor.js';
import { checkProvider } from '../management/provider-check.js';
import { RotationCredentials } from '../management/rotation-credentials.js';
import { SecretVault } from '../management/secret-vault.js';
import { Observer } from '../observer/observer.js';
import type { ProviderIdentity } from '../protocol/references.js';
import { Sealer } from '../sealing/sealer.js';
import { openManagementStore } from '../store/management-store.js';
import { watchPreflight } from '../store/preflight-watch.js';
import type { ReadMetrics } from '../telemetry/metrics-table.js';
import { listenWithOpenTelemetry, observeMetrics } from '../telemetry/opentelemetry.js';
import { watchCredentialAges } from './credential-ages.js';
import { operatorGuard } from './grant-guard.js';
import { redactingActivity } from './redacting-activity.js';
import { redactingDataConverter } from './redacting-codec.js';
import { notesReturn } from './result-limit.js';
import { traceContext } from './trace-context.js';
import { WorkflowPlugin } from './workflow-plugin.js';
import { workflowSource } from './workflow-source.js';

/**
 * A workflow continues on the worker that began it, if that worker is alive. With Temporal's default of ten seconds, a
 * killed worker would delay each of its rotations by that time. The histories are short: another worker replays them in
 * milliseconds.
 */
const STICKY_TIMEOUT = '1 second';

export interface OperationsHost {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly identity?: string;
  readonly shutdownGraceMs: number;
  readonly interceptors?: WorkerInterceptors;
  readonly dataConverter?: DataConverter;
  /** That of the process, to which OpenTelemetry listens already. Default: its own. */
  readonly observer?: Observer;
}

export interface OperationsWorker {
  readonly worker: Worker;
  readonly readMetrics: ReadMetrics;
  /** Closes the store and the HTTP client. Call it after the worker has stopped. */
  close(): Promise<void>;
}

/** @throws ProviderError `SetupInvalid` if the database URL or the login's role does not fit, `StoreUnavailable` */
export async function createOperationsWorker(
  config: OperationsConfig,
  host: OperationsHost,
): Promise<OperationsWorker> {
  const { observer = new Observer() } = host;
  const store = openManagementStore({ ...config.database, observer });
  const http = createFetch({ egress: config.egress, limits: CHECK_LIMITS, observer });
  let endWatches = () => {};
  const close = async () => {
    endWatches();
    await Promise.all([store.close(), http.close()]);
  };
  try {
    await store.preflight();
    const { types, egress } = config;
    const vault = new SecretVault(new Sealer(config.rootKeyring), store, types);
    const dependencies = { store, vault, fetch: http.fetch, egress, types, observer };
    const activities = createOperationActivities({
      store,
      types,
      observer,
      rotations: new RotationCredentials(dependencies),
      checkProvider: (provider: ProviderIdentity) => checkProvider(provider, dependencies),
    });
    const worker = await Worker.create({
      connection: host.connection,
      namespace: host.namespace,
      ...(host.identity !== undefined && { identity: host.identity }),
      taskQueue: config.taskQueue,
      activities,
      shutdownGraceTime: host.shutdownGraceMs,
      stickyQueueScheduleToStartTimeout: STICKY_TIMEOUT,
      interceptors: {
        ...host.interceptors,
        activity: [
          ...(host.interceptors?.activity ?? []),
          traceContext,
          notesReturn,
          operatorGuard(config.grants, observer),
          redactingActivity,
        ],
      },
      dataConverter: redactingDataConverter(host.dataConverter),
      ...workflowSource(host.dataConverter),
      plugins: [new WorkflowPlugin()],
    });
    const ages = watchCredentialAges(store);
    const ends = [
      ...[new Janitor(store).start(), watchPreflight(store.preflight), ages.end],
      observeMetrics(ages.read, BUILD),
      ...(host.observer ? [] : [listenWithOpenTelemetry(observer, { version: BUILD })]),
    ];
    endWatches = () => {
      for (const end of ends) end();
    };
    return { worker, readMetrics: ages.read, close };
  } catch (error) {
    await close();
    throw error;
  }
}
