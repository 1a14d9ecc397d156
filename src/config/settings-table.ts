/**
 * Every setting: its default, its bounds, who reads it, and what it means. Settings are read by this table, and the
 * tables of docs/configuration.md are generated from it.
 */

/**
 * Who reads a setting. `worker`: every worker, and `ProviderResolver.connect`. `worker process`: only the packaged one.
 * `starter`: a service that starts workflows. `commands`: the CLI and `ProviderClient`. `administrator`: `init` and
 * `migrate`.
 */
export type Reader = 'worker' | 'worker process' | 'operations' | 'commands' | 'starter' | 'administrator';

interface Setting {
  readonly kind: 'text' | 'secret' | 'flag' | 'count' | 'duration';
  readonly readBy: readonly Reader[];
  /**
   * The option of the same meaning, in `WorkspaceProviders.connect`, `ProviderResolver.connect`,
   * `ProviderClient.connect` or `hardenProcess`.
   */
  readonly option?: string;
  /** The default, spelled as in the setting. Absent if there is none. */
  readonly default?: string;
  /** Describes a default that is not a constant. */
  readonly defaultText?: string;
  readonly min?: string;
  readonly max?: string;
  readonly meaning: string;
}

export const SETTINGS = {
  DATABASE_URL: {
    kind: 'secret',
    defaultText: 'none',
    readBy: ['worker', 'commands', 'administrator'],
    meaning: 'the default of the three database URLs below: `postgres://login:password@host/database`',
  },
  PROVIDER_DATABASE_URL: {
    kind: 'secret',
    readBy: ['worker'],
    option: 'databaseUrl',
    defaultText: '`DATABASE_URL`',
    meaning: 'the database, for a login that was granted `provider_resolver`',
  },
  PROVIDER_MANAGER_DATABASE_URL: {
    kind: 'secret',
    readBy: ['commands', 'operations'],
    option: 'databaseUrl',
    defaultText:
      '`DATABASE_URL` for commands and `ProviderClient`; none for a worker process, which then runs no rotations',
    meaning: 'the database, for a login that was granted `provider_manager`',
  },
  PROVIDER_ADMIN_DATABASE_URL: {
    kind: 'secret',
    readBy: ['administrator'],
    defaultText: '`DATABASE_URL`',
    meaning: 'the database, for a login that owns it and may create roles',
  },
  ENCRYPTION_KEY: {
    kind: 'secret',
    readBy: ['worker', 'operations', 'commands'],
    option: 'rootKeys',
    defaultText: 'required',
    meaning: 'the root keys, `id:key` or a list with the active one first',
  },
  PROVIDER_LISTEN_DATABASE_URL: {
    kind: 'secret',
    readBy: ['worker'],
    option: 'listenDatabaseUrl',
    defaultText: 'the database URL of the worker',
    meaning:
      'a direct connection on which the process is notified of changes, because a pooler in transaction mode passes ' +
      'no notifications; `off`: the process learns of changes when it renews its lease, three times per lease',
  },
  PROVIDER_DATABASE_CONNECTIONS: {
    kind: 'count',
    readBy: ['worker'],
    option: 'databaseConnections',
    default: '10',
    min: '1',
    max: '1000',
    meaning: 'the size of the connection pool, not counting the two that renew the lease and listen for changes',
  },
  PROVIDER_PREPARED_STATEMENTS: {
    kind: 'flag',
    readBy: ['worker', 'commands'],
    option: 'preparedStatements',
    default: 'true',
    meaning: '`false` behind a pooler in transaction mode, such as PgBouncer or Supabase’s',
  },
  PROVIDER_CACHE_LEASE: {
    kind: 'duration',
    readBy: ['worker'],
    option: 'lease',
    default: '30s',
    min: '100ms',
    max: '1h',
    meaning:
      'how long the process may answer from its cache without hearing from the database, and so how long a change ' +
      'waits for a worker that does not answer',
  },
  PROVIDER_CACHE_MAX: {
    kind: 'count',
    readBy: ['worker'],
    option: 'cacheMax',
    default: '10000',
    min: '1',
    max: '10000000',
    meaning: 'the number of providers that the cache holds',
  },
  PROVIDER_LONGEST_STEP: {
    kind: 'duration',
    readBy: ['worker'],
    option: 'longestStep',
    default: '10m',
    min: '1s',
    max: '24h',
    meaning:
      'the longest time that a step may run: for that long, a worker that vanished counts as a holder of the older ' +
      'credential',
  },
  PROVIDER_STEPS_PER_WORKSPACE: {
    kind: 'count',
    readBy: ['worker'],
    option: 'stepsPerWorkspace',
    default: '25',
    min: '1',
    max: '100000',
    meaning:
      'the number of steps of one workspace that run in the process at the same time; as many more wait for up to five ' +
      'seconds, and the others are retried. Keep it below a third of the activity slots of the worker',
  },
  PROVIDER_WORKER_IDENTITY: {
    kind: 'text',
    readBy: ['worker'],
    option: 'identity',
    defaultText: '`pid@host`',
    meaning:
      'the name of the process in `workers`, in rotations that wait for it, and (worker process) in the Temporal UI',
  },
  PROVIDER_TELEMETRY_WORKSPACES: {
    kind: 'text',
    readBy: ['worker'],
    option: 'telemetryWorkspaces',
    defaultText: 'none',
    meaning:
      'the ids of the workspaces, with commas, whose id is an attribute of metrics and spans; name few, because each ' +
      'is a time series of its own',
  },
  PROVIDER_TYPES: {
    kind: 'text',
    readBy: ['worker', 'operations', 'commands'],
    option: 'types',
    defaultText: 'none',
    meaning:
      'a module that exports provider types of your own: a path, relative to the working directory, such as ' +
      '`./provider-types.js`, or the name of a package',
  },
  PROVIDER_PLATFORM_FALLBACK: {
    kind: 'text',
    readBy: ['worker'],
    option: 'fallback',
    defaultText: 'none',
    meaning:
      'the providers, `type/name,…`, for which workspaces without their own credential are served the platform’s',
  },
  PROVIDER_GRANTS: {
    kind: 'text',
    readBy: ['worker', 'commands'],
    option: 'grants',
    default: 'required',
    meaning: '`every-workflow-may-use-every-workspace` switches grants off; each start logs a warning',
  },
  PROVIDER_GRANT_KEYS: {
    kind: 'text',
    readBy: ['worker'],
    option: 'grantKeys',
    defaultText: 'required',
    meaning:
      'the public keys of the services that start workflows: a JSON Web Key Set, or the file or `https:` address of ' +
      'one, which is read again every ten seconds. Only the user of the worker or root may be able to write the file',
  },
  PROVIDER_GRANT_KEYS_MAX_AGE: {
    kind: 'duration',
    readBy: ['worker'],
    option: 'grantKeysMaxAge',
    default: '1h',
    min: '0',
    max: '7d',
    meaning:
      'how long a key set that cannot be read again stays in effect; after that, grants are refused until it can be ' +
      'read. `0`: for ever, so that whoever can keep the set away keeps a revocation away',
  },
  PROVIDER_GRANT_SIGNING_KEY: {
    kind: 'secret',
    readBy: ['starter', 'commands'],
    defaultText: 'required for `rotate`, `rollback` and `schedules`',
    meaning: 'the private key that signs grants: a JWK, or the file that holds one; workers must not have it',
  },
  PROVIDER_EGRESS_NETWORKS: {
    kind: 'text',
    readBy: ['worker', 'operations', 'commands'],
    option: 'egress.networks',
    defaultText: 'none: only public addresses',
    meaning:
      'networks in CIDR notation that providers of every workspace may lead to, such as `10.1.0.0/16,fd12::/32`; the ' +
      'word `loopback`, for development, allows this machine by plain http and on any port',
  },
  PROVIDER_EGRESS_PORTS: {
    kind: 'text',
    readBy: ['worker', 'operations', 'commands'],
    option: 'egress.ports',
    default: '443,8443',
    meaning: 'the ports that providers may lead to: a list, or `any`',
  },
  PROVIDER_EGRESS_REFUSED: {
    kind: 'text',
    readBy: ['worker', 'operations', 'commands'],
    option: 'egress.refused',
    defaultText: 'none',
    meaning:
      'networks, addresses and host names (with all names below them) that providers may not lead to, even if they are ' +
      'public or in an allowed network, such as `203.0.113.0/24,platform.example`',
  },
  PROVIDER_KEPT_VARIABLES: {
    kind: 'text',
    readBy: ['worker', 'operations', 'commands'],
    option: 'keptVariables',
    defaultText: 'none',
    meaning:
      'the variables that stay in `process.env` although clients of services read them, or they may hold a secret: ' +
      'names, with commas, such as `HTTPS_PROXY,GOOGLE_*`; `*`: all. A worker of your own reads it in `hardenProcess`',
  },
  PROVIDER_PAYLOAD_KEY: {
    kind: 'secret',
    readBy: ['worker process', 'operations', 'starter', 'commands'],
    defaultText: 'none: payloads are stored as they are',
    meaning: 'the keys that encrypt payloads, `id:key` or a list; the first one encrypts, all of them decrypt',
  },
  PROVIDER_PAYLOADS_ACCEPTED: {
    kind: 'text',
    readBy: ['worker process', 'operations', 'starter', 'commands'],
    defaultText: 'none',
    meaning:
      'what a process with a payload key accepts beside what was encrypted for the same workflow: `plaintext`, while you ' +
      'introduce the key; `other-workflows`, for results of Nexus operations and replays; or both, with a comma',
  },
  PROVIDER_TASK_QUEUE: {
    kind: 'text',
    readBy: ['worker process'],
    default: 'agents',
    meaning: 'the Temporal task queue of the steps',
  },
  PROVIDER_MAX_CONCURRENT_STEPS: {
    kind: 'count',
    readBy: ['worker process'],
    default: '100',
    min: '1',
    max: '100000',
    meaning: 'the number of steps that run at the same time',
  },
  PROVIDER_SHUTDOWN_GRACE: {
    kind: 'duration',
    readBy: ['worker process', 'operations'],
    default: '30s',
    min: '0',
    max: '1h',
    meaning: 'how long running steps may take to end after the process was stopped; then they are cancelled',
  },
  PROVIDER_METRICS_ADDRESS: {
    kind: 'text',
    readBy: ['worker process'],
    defaultText: 'none: it serves none; the image sets `9464`',
    meaning:
      'where the process serves `/metrics` (its own, and those of Temporal’s core), `/healthz` and `/readyz`: a port, ' +
      'on which only this machine can connect, or an IP address and a port, such as `0.0.0.0:9464`',
  },
  PROVIDER_OPERATIONS_TASK_QUEUE: {
    kind: 'text',
    readBy: ['operations', 'commands'],
    default: 'provider-operations',
    meaning: 'the Temporal task queue of rotations, schedules and checks',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** The names of settings of one kind, so that none is read by another kind's rules. */
export type SettingOf<Kind extends Setting['kind']> = {
  [Name in SettingName]: (typeof SETTINGS)[Name]['kind'] extends Kind ? Name : never;
}[SettingName];

export function settingOf(name: SettingName): Setting {
  return SETTINGS[name];
}
