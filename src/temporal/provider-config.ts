/** The settings of the resolver: parsed, refused, warned about and described. */
import { EgressPolicy, PUBLIC_EGRESS, parseNetworks, parsePorts } from '../egress/policy.js';
import { DEFAULT_LEASE_MS } from '../fence/lease.js';
import { GrantVerifier } from '../grants/grant-verifier.js';
import { PlatformFallback } from '../resolver/platform-fallback.js';
import { DEFAULT_MAX_PROVIDERS } from '../resolver/provider-resolver.js';
import { parseLocalKeyring } from '../sealing/local-keyring.js';
import type { RootKeyring } from '../sealing/root-keyring.js';
import type { GrantPolicy } from './grant-guard.js';
import { NO_GRANTS } from './no-grants.js';
import { Settings } from './settings.js';

export interface ProviderConfig {
  readonly store: {
    readonly databaseUrl: string;
    /** Default 10. */
    readonly maxConnections?: number;
    /** Default true; false behind a pooler in transaction mode. */
    readonly preparedStatements?: boolean;
  };
  readonly rootKeyring: RootKeyring;
  /** Where calls to services may go. Default: public addresses, by https, ports 443 and 8443. */
  readonly egress?: EgressPolicy;
  /**
   * Whose grants are believed. `every-workflow-may-use-every-workspace` switches them off: whoever can start a workflow,
   * or change the input of one, then uses the credentials of any workspace.
   */
  readonly grants: GrantPolicy;
  /** Default: no fallback to the platform's own credentials. */
  readonly fallback?: PlatformFallback;
  /**
   * How long a cached credential may serve without news from the database, in milliseconds: how long a change waits for
   * a worker that does not answer. Default 30,000.
   */
  readonly leaseMs?: number;
  /**
   * Where the process hears of changes at once: a direct connection, since a transaction pooler passes none. `off`: it
   * hears of them when it renews its lease. Default: `store.databaseUrl`.
   */
  readonly listenUrl?: string | 'off';
  /**
   * The longest that a step of this process may run, in milliseconds: how long a rotation holds a worker that vanished
   * for a holder of the old credential. Default 600,000, as `llmStep` has it.
   */
  readonly longestStepMs?: number;
  /** How this process is called in lists of workers. Default `pid@host`. */
  readonly identity?: string;
  /** How many providers the cache holds at most. Default 10,000. */
  readonly maxProviders?: number;
}

/** As long as `llmStep` may run where its caller says nothing. */
export const DEFAULT_LONGEST_STEP_MS = 600_000;

const PREFIX = 'PROVIDER_';

/** Every setting with our prefix, the worker's too: a process may share its environment with one that reads more. */
export const SETTING_NAMES = [
  'PROVIDER_CACHE_LEASE',
  'PROVIDER_CACHE_MAX',
  'PROVIDER_DATABASE_CONNECTIONS',
  'PROVIDER_EGRESS_NETWORKS',
  'PROVIDER_EGRESS_PORTS',
  'PROVIDER_GRANTS',
  'PROVIDER_GRANT_KEYS',
  'PROVIDER_GRANT_SIGNING_KEY',
  'PROVIDER_LISTEN_DATABASE_URL',
  'PROVIDER_LONGEST_STEP',
  'PROVIDER_MANAGER_DATABASE_URL',
  'PROVIDER_MAX_CONCURRENT_STEPS',
  'PROVIDER_OPERATIONS_TASK_QUEUE',
  'PROVIDER_PAYLOAD_KEY',
  'PROVIDER_PLATFORM_FALLBACK',
  'PROVIDER_PREPARED_STATEMENTS',
  'PROVIDER_SHUTDOWN_GRACE',
  'PROVIDER_TASK_QUEUE',
  'PROVIDER_WORKER_IDENTITY',
];

/** @throws ProviderError `ProviderConfigInvalid` naming each setting that does not fit, and what it should be */
export function providerConfigFromEnv(env: NodeJS.ProcessEnv): ProviderConfig {
  const settings = new Settings(env);
  const config = readProviderConfig(settings);
  settings.throwIfRefused();
  return config;
}

/** For a caller that reads more settings and wants every problem told at once. */
export function readProviderConfig(settings: Settings): ProviderConfig {
  settings.refuseUnknown(PREFIX, SETTING_NAMES);
  const { rootKeyring, egress, ...store } = readStoreSettings(settings);
  const fallback = settings.parsed('PROVIDER_PLATFORM_FALLBACK', () =>
    PlatformFallback.parse(settings.text('PROVIDER_PLATFORM_FALLBACK', ''), settings.env),
  );
  return {
    store: { ...store, maxConnections: settings.count('PROVIDER_DATABASE_CONNECTIONS', 10, 1, 1_000) },
    rootKeyring,
    egress,
    grants: readGrantPolicy(settings),
    fallback,
    leaseMs: settings.durationMs('PROVIDER_CACHE_LEASE', DEFAULT_LEASE_MS, 100, 3_600_000),
    listenUrl: readListenUrl(settings),
    longestStepMs: settings.durationMs('PROVIDER_LONGEST_STEP', DEFAULT_LONGEST_STEP_MS, 1_000, 86_400_000),
    identity: settings.text('PROVIDER_WORKER_IDENTITY', '') || undefined,
    maxProviders: settings.count('PROVIDER_CACHE_MAX', DEFAULT_MAX_PROVIDERS, 1, 10_000_000),
  };
}

function readGrantPolicy(settings: Settings): GrantPolicy {
  const policy = settings.text('PROVIDER_GRANTS', 'required');
  if (policy === NO_GRANTS) return NO_GRANTS;
  if (policy !== 'required') settings.refuse('PROVIDER_GRANTS', `must be required, or ${NO_GRANTS}`);
  const hint = `public keys of those who start workflows, as a JWKS or where it is: workspace-providers grant-key; or PROVIDER_GRANTS=${NO_GRANTS}`;
  const keySet = settings.required('PROVIDER_GRANT_KEYS', hint);
  // Where it was refused, throwIfRefused ends the start before anybody asks for it.
  return settings.parsed('PROVIDER_GRANT_KEYS', () => new GrantVerifier(keySet)) as GrantVerifier;
}

function readListenUrl(settings: Settings): string | undefined {
  const name = 'PROVIDER_LISTEN_DATABASE_URL';
  return settings.text(name, '') === 'off' ? 'off' : settings.databaseUrl(name) || undefined;
}

/** The database, the root keys, and where services may be: what workers and those who manage providers both need. */
export function readStoreSettings(settings: Settings) {
  const hint = 'the Postgres that holds workspace_providers, as postgres://…';
  const databaseUrl = settings.databaseUrl('DATABASE_URL', hint);
  const rootKeyring = settings.parsed('ENCRYPTION_KEY', () => parseLocalKeyring(settings.env.ENCRYPTION_KEY));
  return {
    databaseUrl,
    preparedStatements: settings.flag('PROVIDER_PREPARED_STATEMENTS', true),
    // Where the keyring was refused, throwIfRefused ends the start before anybody asks for it.
    rootKeyring: rootKeyring as RootKeyring,
    egress: readEgress(settings),
  };
}

function readEgress(settings: Settings): EgressPolicy {
  const read = <Value>(name: string, parse: (text: string) => Value) =>
    settings.parsed(name, () => parse(settings.text(name, '')));
  const networks = read('PROVIDER_EGRESS_NETWORKS', parseNetworks);
  const ports = read('PROVIDER_EGRESS_PORTS', parsePorts);
  return new EgressPolicy({ networks, ports });
}

/** What an operator should know at the start. */
export function providerNotes(config: ProviderConfig): readonly string[] {
  const allowed = config.fallback?.describe() ?? [];
  const { networks } = (config.egress ?? PUBLIC_EGRESS).describe();
  return [
    ...(allowed.length > 0
      ? [`workspaces without their own key are served the platform's for ${allowed.join(', ')}`]
      : []),
    ...(networks.length > 0 ? [`providers of every workspace may lead into ${networks.join(', ')}`] : []),
  ];
}

/** The settings in force, without secrets. */
export function describeProviderConfig(config: ProviderConfig): Readonly<Record<string, string | number | boolean>> {
  const egress = (config.egress ?? PUBLIC_EGRESS).describe();
  return {
    database: describeUrl(config.store.databaseUrl),
    databaseConnections: config.store.maxConnections ?? 10,
    preparedStatements: config.store.preparedStatements ?? true,
    grants: config.grants === NO_GRANTS ? NO_GRANTS : 'required',
    cacheLeaseMs: config.leaseMs ?? DEFAULT_LEASE_MS,
    listens: config.listenUrl !== 'off',
    longestStepMs: config.longestStepMs ?? DEFAULT_LONGEST_STEP_MS,
    cacheMaxProviders: config.maxProviders ?? DEFAULT_MAX_PROVIDERS,
    platformFallback: config.fallback?.describe().join(', ') || 'off',
    egressNetworks: egress.networks.join(', ') || 'public alone',
    egressPorts: egress.ports,
  };
}

/** User, host and database of a URL; never its password or parameters. */
function describeUrl(url: string): string {
  if (!URL.canParse(url)) return 'a connection string that is no URL';
  const { username, host, pathname } = new URL(url);
  return `${username}@${host}${pathname}`;
}
