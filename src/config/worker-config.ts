/** The configuration of the packaged worker process: of its resolver, of Temporal, and of the process itself. */
import type { DataConverter } from '@temporalio/common';
import { parseAccepted } from '../codec/accepted-payloads.js';
import { providerDataConverter, WITHOUT_KEY } from '../codec/data-converter.js';
import type { ManagerConfig } from './manager-config.js';
import { parseMetricsAddress } from './metrics-address.js';
import { describeProviderConfig, type ProviderConfig, readConfig, readProviderConfig } from './resolver-config.js';
import type { Settings } from './settings.js';
import { readTemporalConfig, type TemporalConfig } from './temporal-config.js';

/** The configuration of a process that runs rotations, schedules and checks. */
export interface OperationsConfig extends ManagerConfig {
  readonly grants: ProviderConfig['grants'];
  readonly taskQueue: string;
}

export interface WorkerConfig extends TemporalConfig {
  readonly providers: ProviderConfig;
  readonly taskQueue: string;
  /** How long running steps may take to end after the process was stopped, in milliseconds. */
  readonly shutdownGraceMs: number;
  readonly maxConcurrentSteps: number;
  /** Absent if the process serves no metrics. */
  readonly metricsAddress: string | undefined;
  /** Absent if payloads are stored as they are. */
  readonly dataConverter: DataConverter | undefined;
  /** Absent if this process runs no rotations. */
  readonly operations: OperationsConfig | undefined;
}

/**
 * Reads the configuration from the environment. Temporal's address, namespace, API key and TLS are read as Temporal's
 * own tools read them (`TEMPORAL_ADDRESS`, …).
 *
 * @throws ProviderError `SetupInvalid` naming each setting that does not fit, and what it should be
 */
export function workerConfigFromEnv(env: NodeJS.ProcessEnv): WorkerConfig {
  return readConfig({ env }, (settings) => {
    const providers = readProviderConfig(settings);
    return {
      ...readTemporalConfig(settings),
      providers,
      taskQueue: settings.text('PROVIDER_TASK_QUEUE') as string,
      shutdownGraceMs: settings.durationMs('PROVIDER_SHUTDOWN_GRACE'),
      maxConcurrentSteps: settings.count('PROVIDER_MAX_CONCURRENT_STEPS'),
      metricsAddress: settings.parsed('PROVIDER_METRICS_ADDRESS', (text) => {
        if (text !== '') parseMetricsAddress(text);
        return text || undefined;
      }),
      dataConverter: readDataConverter(settings),
      operations: readOperations(settings, providers),
    };
  });
}

function readOperations(settings: Settings, { database, ...providers }: ProviderConfig): OperationsConfig | undefined {
  const databaseUrl = settings.databaseUrl('PROVIDER_MANAGER_DATABASE_URL');
  if (databaseUrl === undefined) return undefined;
  return {
    database: { ...database, databaseUrl },
    rootKeyring: providers.rootKeyring,
    egress: providers.egress,
    types: providers.types,
    grants: providers.grants,
    taskQueue: readOperationsTaskQueue(settings),
  };
}

export function readOperationsTaskQueue(settings: Settings): string {
  return settings.text('PROVIDER_OPERATIONS_TASK_QUEUE') as string;
}

/** `undefined` if no key is set: payloads are not encrypted. */
function readDataConverter(settings: Settings): DataConverter | undefined {
  const accept = settings.parsed('PROVIDER_PAYLOADS_ACCEPTED', parseAccepted);
  return settings.parsed('PROVIDER_PAYLOAD_KEY', (keys) =>
    keys ? providerDataConverter(keys, { accept }) : undefined,
  );
}

/** For a client: if no key is set, it reports that when it meets an encrypted payload. */
export function readClientDataConverter(settings: Settings): DataConverter {
  return readDataConverter(settings) ?? WITHOUT_KEY;
}

/** The settings in force, without secrets. */
export function describeWorkerConfig(config: WorkerConfig): Readonly<Record<string, string | number | boolean>> {
  return {
    temporal: config.connection.address,
    namespace: config.namespace,
    taskQueue: config.taskQueue,
    shutdownGraceMs: config.shutdownGraceMs,
    maxConcurrentSteps: config.maxConcurrentSteps,
    metrics: config.metricsAddress ?? 'off',
    encryptsPayloads: config.dataConverter !== undefined,
    runsRotations: config.operations !== undefined,
    ...describeProviderConfig(config.providers),
  };
}
