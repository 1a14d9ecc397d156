/**
 * The worker of rotations: its login may change providers, so it stands apart from the workers of steps, whose logins
 * may not. It may share their process, or have one of its own.
 */
import type { DataConverter } from '@temporalio/common';
import { type NativeConnection, Worker, type WorkerInterceptors } from '@temporalio/worker';
import { createOperationActivities } from '../activities/rotation-activities.js';
import type { OperationsConfig } from '../config/worker-config.js';
import { createFetch } from '../egress/http-client.js';
import { checkProvider } from '../management/provider-check.js';
import { RotationCredentials } from '../management/rotation-credentials.js';
import { SecretVault } from '../management/secret-vault.js';
import type { ProviderIdentity } from '../protocol/references.js';
import { Sealer } from '../sealing/sealer.js';
import { openManagementStore } from '../store/management-store.js';
import { operatorGuard } from './grant-guard.js';
import { redactingActivity } from './redacting-activity.js';
import { workflowModules, workflowSource } from './workflow-source.js';

/**
 * A workflow goes on where it was begun, while that worker lives; one that was killed would keep each rotation waiting
 * for ten seconds, which is Temporal's default. Their histories are short: elsewhere they are read anew in milliseconds.
 */
const STICKY_TIMEOUT = '1 second';

export interface OperationsHost {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly identity?: string;
  readonly shutdownGraceMs: number;
  readonly interceptors?: WorkerInterceptors;
  readonly dataConverter?: DataConverter;
}

export interface OperationsWorker {
  readonly worker: Worker;
  /** After the worker has stopped. */
  close(): Promise<void>;
}

/** @throws ProviderError `ProviderConfigInvalid` for a database URL or a role that does not fit, `StoreUnavailable` */
export async function createOperationsWorker(
  config: OperationsConfig,
  host: OperationsHost,
): Promise<OperationsWorker> {
  const store = openManagementStore(config.database);
  const http = createFetch({ egress: config.egress });
  const close = async () => {
    await Promise.all([store.close(), http.close()]);
  };
  try {
    await store.preflight();
    const vault = new SecretVault(new Sealer(config.rootKeyring), store);
    const dependencies = { store, vault, fetch: http.fetch, egress: config.egress };
    const activities = createOperationActivities({
      store,
      rotations: new RotationCredentials(dependencies),
      checkProvider: (provider: ProviderIdentity) => checkProvider(provider, dependencies),
    });
    const source = workflowSource(host.dataConverter);
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
        activity: [...(host.interceptors?.activity ?? []), operatorGuard(config.grants), redactingActivity],
        workflowModules: workflowModules(source, host.interceptors?.workflowModules),
      },
      dataConverter: host.dataConverter,
      ...source,
    });
    return { worker, close };
  } catch (error) {
    await close();
    throw error;
  }
}
