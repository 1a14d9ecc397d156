/** The settings of a worker process: those of the resolver, and where Temporal is. */

import type { DataConverter } from '@temporalio/common';
import { OPERATIONS_TASK_QUEUE } from '../protocol/rotation.js';
import { readDataConverter } from './data-converter.js';
import type { OperationsConfig } from './operations.js';
import { describeProviderConfig, type ProviderConfig, readProviderConfig } from './provider-config.js';
import { Settings } from './settings.js';
import { readTemporalConfig, type TemporalConfig } from './temporal-config.js';

export interface WorkerConfig extends TemporalConfig {
  readonly providers: ProviderConfig;
  readonly taskQueue: string;
  /** How this process is called in the Temporal UI; absent: `pid@host`. */
  readonly identity?: string;
  /** How long running steps may take to end once the process was told to stop, in milliseconds. */
  readonly shutdownGraceMs: number;
  readonly maxConcurrentSteps: number;
  /** Absent: payloads go to Temporal as they are. */
  readonly dataConverter?: DataConverter;
  /** Absent: this process runs no rotations. */
  readonly operations?: OperationsConfig;
}

/**
 * Temporal's address, namespace, API key and TLS come from the variables and the file that Temporal's own tools read
 * (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, …).
 *
 * @throws ProviderError `ProviderConfigInvalid` naming each setting that does not fit, and what it should be
 */
export function workerConfigFromEnv(env: NodeJS.ProcessEnv): WorkerConfig {
  const settings = new Settings(env);
  const providers = readProviderConfig(settings);
  const temporal = readTemporalConfig(settings);
  const managerUrl = settings.databaseUrl('PROVIDER_MANAGER_DATABASE_URL');
  const config = {
    providers,
    ...temporal,
    taskQueue: settings.text('PROVIDER_TASK_QUEUE', 'agents'),
    identity: providers.identity,
    shutdownGraceMs: settings.durationMs('PROVIDER_SHUTDOWN_GRACE', 30_000, 0, 3_600_000),
    maxConcurrentSteps: settings.count('PROVIDER_MAX_CONCURRENT_STEPS', 100, 1, 100_000),
    dataConverter: readDataConverter(settings),
    operations: managerUrl
      ? {
          store: { ...providers.store, databaseUrl: managerUrl },
          rootKeyring: providers.rootKeyring,
          egress: providers.egress,
          grants: providers.grants,
          taskQueue: settings.text('PROVIDER_OPERATIONS_TASK_QUEUE', OPERATIONS_TASK_QUEUE),
        }
      : undefined,
  };
  settings.throwIfRefused();
  return config;
}

/** The settings in force, without secrets. */
export function describeWorkerConfig(config: WorkerConfig): Readonly<Record<string, string | number | boolean>> {
  return {
    temporal: config.connection.address,
    namespace: config.namespace,
    taskQueue: config.taskQueue,
    shutdownGraceMs: config.shutdownGraceMs,
    maxConcurrentSteps: config.maxConcurrentSteps,
    encryptsPayloads: config.dataConverter !== undefined,
    runsRotations: config.operations !== undefined,
    ...describeProviderConfig(config.providers),
  };
}
