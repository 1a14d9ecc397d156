/**
 * Every metric: OpenTelemetry's meters and the page for Prometheus are made from this table, and so is the table of
 * docs/telemetry.md. Names and attributes are part of the API: dashboards and alerts use them.
 */

const FAST_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const SLOW_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800];
/** As the GenAI conventions advise. */
const MODEL_SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const TOKENS = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864];

export interface Metric {
  /** `read`: the value is read when somebody collects. */
  readonly kind: 'counter' | 'histogram' | 'read counter' | 'read gauge';
  /** As in the UCUM. */
  readonly unit: 's' | '1' | `{${string}}`;
  readonly attributes: readonly string[];
  readonly buckets?: readonly number[];
  readonly meaning: string;
}

export const METRICS = {
  'workspace_providers.resolve.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: ['type', 'source', 'cache', 'error.type', 'workspace'],
    buckets: FAST_SECONDS,
    meaning:
      'how long it took to find a provider; `cache` is `hit`, `miss` or `joined`. A warm read that needs no promise of ' +
      'its own is only in `workspace_providers.cache.reads`',
  },
  'workspace_providers.open.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: ['type', 'error.type', 'workspace'],
    buckets: SLOW_SECONDS,
    meaning: 'how long callbacks of `withProvider` ran',
  },
  'workspace_providers.failures': {
    kind: 'counter',
    unit: '{failure}',
    attributes: ['type', 'error.type', 'workspace'],
    meaning: 'resolutions and callbacks that failed, by failure type',
  },
  'workspace_providers.credentials.rejected': {
    kind: 'counter',
    unit: '{rejection}',
    attributes: ['type', 'workspace'],
    meaning: 'credentials that a service refused',
  },
  'workspace_providers.credentials.healed': {
    kind: 'counter',
    unit: '{step}',
    attributes: ['type', 'workspace'],
    meaning: 'callbacks whose credential was refused, and that succeeded with a newer one',
  },
  'workspace_providers.credentials.unreadable': {
    kind: 'counter',
    unit: '{credential}',
    attributes: ['type', 'workspace'],
    meaning: 'attempts to open a stored credential that does not open',
  },
  'workspace_providers.credentials.age': {
    kind: 'read gauge',
    unit: 's',
    attributes: ['type'],
    meaning: 'the age of the oldest active credential; read by the worker of rotations every minute',
  },
  'workspace_providers.credentials.overdue': {
    kind: 'read gauge',
    unit: '{credential}',
    attributes: ['type'],
    meaning: 'active credentials that are older than their interval; read by the worker of rotations every minute',
  },
  'workspace_providers.cache.reads': {
    kind: 'read counter',
    unit: '{read}',
    attributes: ['outcome'],
    meaning:
      'reads of the cache: `hit`, `miss`, `joined` (a load under way), `reloaded` (the caller knew of something newer), ' +
      '`refused-by-lease` (an entry was there, and no lease)',
  },
  'workspace_providers.cache.loads': {
    kind: 'read counter',
    unit: '{load}',
    attributes: [],
    meaning: 'workspaces that were read from Postgres',
  },
  'workspace_providers.cache.workspaces': {
    kind: 'read gauge',
    unit: '{workspace}',
    attributes: [],
    meaning: 'workspaces in the cache',
  },
  'workspace_providers.lease.held': {
    kind: 'read gauge',
    unit: '1',
    attributes: [],
    meaning: '1 if the process may answer from its cache, otherwise 0',
  },
  'workspace_providers.lease.epoch': {
    kind: 'read gauge',
    unit: '{epoch}',
    attributes: [],
    meaning: 'the newest epoch whose changes have left the cache',
  },
  'workspace_providers.lease.renewals': {
    kind: 'read counter',
    unit: '{renewal}',
    attributes: ['outcome'],
    meaning: 'renewals of the lease: `renewed`, `failed`, or `lost` (the row of the worker was gone)',
  },
  'workspace_providers.lease.renewal.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: [],
    buckets: FAST_SECONDS,
    meaning: 'how long renewals took',
  },
  'workspace_providers.fence.lag': {
    kind: 'histogram',
    unit: 's',
    attributes: ['outcome'],
    buckets: SLOW_SECONDS,
    meaning:
      'from a change until the last worker proved that it has it (`complete`), or until the wait ended before that ' +
      '(`incomplete`)',
  },
  'workspace_providers.fence.workers': {
    kind: 'counter',
    unit: '{worker}',
    attributes: ['outcome'],
    meaning:
      'workers that fences waited for: `applied`, `gone`, `waited-out` (its lease ran out), `waiting` (the wait ended)',
  },
  'workspace_providers.rotation.stage.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: ['stage', 'error.type'],
    buckets: SLOW_SECONDS,
    meaning: 'attempts at the stages of rotations',
  },
  'workspace_providers.rotation.ended': {
    kind: 'counter',
    unit: '{rotation}',
    attributes: ['outcome'],
    meaning:
      'rotations that have ended: `revoked`, `rolled-back`, `failed`, or `by-hand` if a person must do the last part',
  },
  'workspace_providers.drain.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: ['outcome'],
    buckets: SLOW_SECONDS,
    meaning: 'drains: `drained`, or `held` if steps still had the older credential when the time was up',
  },
  'workspace_providers.drain.holders': {
    kind: 'counter',
    unit: '{worker}',
    attributes: [],
    meaning: 'workers whose steps still had the older credential when a drain ended',
  },
  'workspace_providers.steps.outdated': {
    kind: 'read gauge',
    unit: '{step}',
    attributes: [],
    meaning: 'requests, and callbacks that revealed, with a credential that may be older than what is served now',
  },
  'workspace_providers.request.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: ['http.request.method', 'http.response.status_code', 'error.type'],
    buckets: SLOW_SECONDS,
    meaning: 'HTTP requests to services, until the head of the answer',
  },
  'workspace_providers.checks': {
    kind: 'counter',
    unit: '{check}',
    attributes: ['type', 'outcome'],
    meaning: 'credentials that were checked at their service',
  },
  'workspace_providers.grants.refused': {
    kind: 'counter',
    unit: '{grant}',
    attributes: ['kind', 'cause'],
    meaning: 'grants that were refused',
  },
  'workspace_providers.grants.key_set.age': {
    kind: 'read gauge',
    unit: 's',
    attributes: [],
    meaning: 'how long ago the key set of grants was read, if it is a file or an address',
  },
  'workspace_providers.store.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: ['statement', 'error.type'],
    buckets: FAST_SECONDS,
    meaning: 'statements in Postgres, with the wait for a connection',
  },
  'workspace_providers.audit.uses_lost': {
    kind: 'read counter',
    unit: '{use}',
    attributes: [],
    meaning: 'uses of credentials that are missing in the audit',
  },
  'gen_ai.client.operation.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: ['gen_ai.operation.name', 'gen_ai.provider.name', 'gen_ai.request.model', 'error.type', 'workspace'],
    buckets: MODEL_SECONDS,
    meaning: 'calls of `llmStep` to models, as in the GenAI conventions',
  },
  'gen_ai.client.token.usage': {
    kind: 'histogram',
    unit: '{token}',
    attributes: [
      ...['gen_ai.operation.name', 'gen_ai.provider.name', 'gen_ai.request.model', 'gen_ai.token.type', 'workspace'],
    ],
    buckets: TOKENS,
    meaning: 'tokens of the calls of `llmStep`, as in the GenAI conventions',
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

/** The names of the metrics of one kind. */
export type MetricOf<Kind extends Metric['kind']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['kind'] extends Kind ? Name : never;
}[MetricName];

export type ReadMetric = MetricOf<'read counter' | 'read gauge'>;

export function metricOf(name: MetricName): Metric {
  return METRICS[name];
}

export const METRIC_NAMES = Object.keys(METRICS) as readonly MetricName[];

/** Values of attributes, as far as they are known. */
export type Attributes = Readonly<Record<string, string | number>>;

/** The value of a metric that is read. */
export interface Reading {
  readonly name: ReadMetric;
  readonly value: number;
  readonly attributes?: Attributes;
}

/** Reads the values of this moment. It must be quick, and must not wait. */
export type ReadMetrics = () => readonly Reading[];
