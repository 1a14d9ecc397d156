/** The configuration of a process that resolves credentials: read, refused, described. */
import { type EgressOptions, EgressPolicy, parseNetworks, parsePorts, parseRefused } from '../egress/policy.js';
import { GrantVerifier } from '../grants/grant-verifier.js';
import { type GrantPolicy, NO_GRANTS } from '../grants/policy.js';
import { checkWorkspaceId } from '../protocol/names.js';
import type { OwnTypes } from '../providers/credentials.js';
import { PlatformFallback } from '../providers/platform-fallback.js';
import type { ProviderTypes } from '../providers/provider-types.js';
import { parseLocalKeyring } from '../sealing/local-keyring.js';
import type { RootKeyring } from '../sealing/root-keyring.js';
import type { DatabaseOptions } from '../store/pool.js';
import { readKeptVariables } from './client-variables.js';
import type { Duration } from './duration.js';
import { refuseUnverifiedTls, wholeEnvironment } from './process-hardening.js';
import { readTypes } from './provider-types-module.js';
import { Settings } from './settings.js';

/** What every process needs that uses the database. An option that is absent is read from its setting. */
export interface StoreOptions<Types extends OwnTypes = OwnTypes> {
  /** `postgres://login:password@host/database`. */
  readonly databaseUrl?: string;
  /** False behind a pooler in transaction mode. Setting: `PROVIDER_PREPARED_STATEMENTS`. Default: true. */
  readonly preparedStatements?: boolean;
  /** `id:base64` or a list with the active one first, or a keyring. Setting: `ENCRYPTION_KEY`. Required. */
  readonly rootKeys?: string | RootKeyring;
  /** Settings: `PROVIDER_EGRESS_NETWORKS`, `PROVIDER_EGRESS_PORTS`, `PROVIDER_EGRESS_REFUSED`. */
  readonly egress?: EgressOptions;
  /**
   * Provider types of your own, made by `defineProviderType`. Setting: `PROVIDER_TYPES`, which names a module that
   * exports them. Default: only the types of this package.
   */
  readonly types?: Types;
  /** The environment that settings are read from. Default: `process.env`, with what `hardenProcess` removed from it. */
  readonly env?: NodeJS.ProcessEnv;
}

/** The options of `ProviderResolver.connect`. An option that is absent is read from its setting. */
export interface ResolverOptions<Types extends OwnTypes = OwnTypes> extends StoreOptions<Types> {
  /** For a login that was granted `provider_resolver`. Settings: `PROVIDER_DATABASE_URL`, `DATABASE_URL`. Required. */
  readonly databaseUrl?: string;
  /**
   * A direct connection on which the process is notified of changes, or `off`. Setting: `PROVIDER_LISTEN_DATABASE_URL`.
   * Default: `databaseUrl`.
   */
  readonly listenDatabaseUrl?: string;
  /** The size of the connection pool; two more renew the lease and listen. Setting: `PROVIDER_DATABASE_CONNECTIONS`. Default: 10. */
  readonly databaseConnections?: number;
  /**
   * How long the process may answer from its cache without hearing from the database, and so how long a change waits
   * for it if it does not answer. Setting: `PROVIDER_CACHE_LEASE`. Default: `30s`.
   */
  readonly lease?: Duration;
  /** The number of providers that the cache holds. Setting: `PROVIDER_CACHE_MAX`. Default: 10,000. */
  readonly cacheMax?: number;
  /**
   * The longest time that a step of this process may run. For that long, a rotation counts a worker that vanished as a
   * holder of the older credential. Setting: `PROVIDER_LONGEST_STEP`. Default: `10m`, as for `llmStep`.
   */
  readonly longestStep?: Duration;
  /**
   * The number of steps of one workspace that run in this process at the same time. As many more wait for up to five
   * seconds; the others fail with `ProviderRateLimited`, and Temporal retries them. Setting:
   * `PROVIDER_STEPS_PER_WORKSPACE`. Default: 25.
   */
  readonly stepsPerWorkspace?: number;
  /** The name of this process in lists of workers. Setting: `PROVIDER_WORKER_IDENTITY`. Default: `pid@host`. */
  readonly identity?: string;
  /**
   * The providers, as `type/name`, for which workspaces without their own credential are served the platform's.
   * Setting: `PROVIDER_PLATFORM_FALLBACK`. Default: none.
   */
  readonly fallback?: readonly string[];
  /**
   * The workspaces whose id is an attribute of metrics and spans: few, because each is a time series of its own.
   * Setting: `PROVIDER_TELEMETRY_WORKSPACES`. Default: none.
   */
  readonly telemetryWorkspaces?: readonly string[];
}

/** The options of `WorkspaceProviders.connect`. An option that is absent is read from its setting. */
export interface ProviderOptions<Types extends OwnTypes = OwnTypes> extends ResolverOptions<Types> {
  /**
   * Whether workflows need a grant. `every-workflow-may-use-every-workspace` switches grants off: anybody who can start
   * a workflow then uses the credentials of any workspace. Setting: `PROVIDER_GRANTS`. Default: `required`.
   */
  readonly grants?: 'required' | 'every-workflow-may-use-every-workspace';
  /**
   * The public keys of the services that start workflows: a JSON Web Key Set, or the file or `https:` address of one.
   * Setting: `PROVIDER_GRANT_KEYS`. Required unless grants are switched off.
   */
  readonly grantKeys?: string;
  /**
   * How long a key set that cannot be read again stays in effect. After that, grants are refused with
   * `KeyServiceUnavailable` until it can be read. `0`: for ever. Setting: `PROVIDER_GRANT_KEYS_MAX_AGE`. Default: `1h`.
   */
  readonly grantKeysMaxAge?: Duration;
}

export interface ResolverConfig {
  readonly database: DatabaseOptions;
  readonly rootKeyring: RootKeyring;
  readonly egress: EgressPolicy;
  readonly types: ProviderTypes;
  readonly fallback: PlatformFallback;
  readonly leaseMs: number;
  readonly listenUrl: string | 'off';
  readonly longestStepMs: number;
  readonly identity: string | undefined;
  readonly maxProviders: number;
  readonly stepsPerWorkspace: number;
  readonly telemetryWorkspaces: readonly string[];
}

export interface ProviderConfig extends ResolverConfig {
  readonly grants: GrantPolicy;
}

/**
 * Reads a configuration from options and the environment.
 *
 * @throws ProviderError `SetupInvalid` naming each setting that does not fit
 */
export function readConfig<Config>(options: StoreOptions, read: (settings: Settings) => Config): Config {
  refuseUnverifiedTls(process.env);
  const settings = new Settings(options.env ?? wholeEnvironment(), options);
  settings.refuseMisspelt();
  readKeptVariables(settings);
  const config = read(settings);
  settings.throwIfRefused();
  return config;
}

export function readResolverConfig(settings: Settings): ResolverConfig {
  const databaseUrl = settings.requiredDatabaseUrl(
    'set it to postgres://…, the database of workspace_providers, with a login that was granted provider_resolver',
    'PROVIDER_DATABASE_URL',
    'DATABASE_URL',
  );
  const preparedStatements = settings.flag('PROVIDER_PREPARED_STATEMENTS');
  const types = readTypes(settings);
  const isDeaf = settings.text('PROVIDER_LISTEN_DATABASE_URL') === 'off';
  return {
    database: { databaseUrl, preparedStatements, maxConnections: settings.count('PROVIDER_DATABASE_CONNECTIONS') },
    rootKeyring: readRootKeyring(settings),
    egress: readEgress(settings),
    types,
    fallback:
      settings.parsed('PROVIDER_PLATFORM_FALLBACK', (pairs) => PlatformFallback.parse(pairs, settings.env, types)) ??
      PlatformFallback.off,
    leaseMs: settings.durationMs('PROVIDER_CACHE_LEASE'),
    listenUrl: isDeaf ? 'off' : (settings.databaseUrl('PROVIDER_LISTEN_DATABASE_URL') ?? databaseUrl),
    longestStepMs: settings.durationMs('PROVIDER_LONGEST_STEP'),
    identity: settings.text('PROVIDER_WORKER_IDENTITY'),
    maxProviders: settings.count('PROVIDER_CACHE_MAX'),
    stepsPerWorkspace: settings.count('PROVIDER_STEPS_PER_WORKSPACE'),
    telemetryWorkspaces: settings.parsed('PROVIDER_TELEMETRY_WORKSPACES', parseWorkspaces) ?? [],
  };
}

function parseWorkspaces(list: string): readonly string[] {
  return list.split(',').flatMap((each) => (each.trim() === '' ? [] : [checkWorkspaceId(each.trim())]));
}

export function readProviderConfig(settings: Settings): ProviderConfig {
  return { ...readResolverConfig(settings), grants: readGrantPolicy(settings) };
}

export function readGrantPolicy(settings: Settings): GrantPolicy {
  const policy = settings.text('PROVIDER_GRANTS');
  if (policy === NO_GRANTS) return NO_GRANTS;
  if (policy !== 'required') settings.refuse('PROVIDER_GRANTS', `must be required, or ${NO_GRANTS}`);
  const keySet = settings.required(
    'PROVIDER_GRANT_KEYS',
    'set it to the public keys of the services that start workflows: a JWKS, or the file or address of one (see ' +
      `workspace-providers grants create-key); or set PROVIDER_GRANTS=${NO_GRANTS}`,
  );
  const maxAgeMs = settings.durationMs('PROVIDER_GRANT_KEYS_MAX_AGE');
  // Used only if nothing was refused.
  return settings.parsed('PROVIDER_GRANT_KEYS', () => new GrantVerifier(keySet, { maxAgeMs })) as GrantVerifier;
}

export function readRootKeyring(settings: Settings): RootKeyring {
  const given = settings.option('ENCRYPTION_KEY');
  if (typeof given === 'object' && given !== null) return given as RootKeyring;
  // Used only if nothing was refused.
  return settings.parsed('ENCRYPTION_KEY', parseLocalKeyring) as RootKeyring;
}

export function readEgress(settings: Settings): EgressPolicy {
  const networks = settings.parsed('PROVIDER_EGRESS_NETWORKS', parseNetworks);
  const ports = settings.parsed('PROVIDER_EGRESS_PORTS', parsePorts);
  const refused = settings.parsed('PROVIDER_EGRESS_REFUSED', parseRefused);
  return new EgressPolicy({ networks, ports, refused });
}

/** What an operator should know when the process starts. */
export function providerNotes({ fallback, egress }: ProviderConfig): readonly string[] {
  const allowed = fallback.describe();
  const { networks } = egress.describe();
  return [
    ...(allowed.length > 0
      ? [`workspaces without their own key are served the platform's for ${allowed.join(', ')}`]
      : []),
    ...(networks.length > 0 ? [`providers of every workspace may lead into ${networks.join(', ')}`] : []),
  ];
}

/** The settings in force, without secrets. */
export function describeProviderConfig(config: ProviderConfig): Readonly<Record<string, string | number | boolean>> {
  const { database, egress } = config;
  const { networks, ports, refused } = egress.describe();
  return {
    database: describeUrl(database.databaseUrl),
    databaseConnections: database.maxConnections ?? 0,
    preparedStatements: database.preparedStatements ?? true,
    grants: config.grants === NO_GRANTS ? NO_GRANTS : 'required',
    cacheLeaseMs: config.leaseMs,
    listens: config.listenUrl !== 'off',
    longestStepMs: config.longestStepMs,
    cacheMaxProviders: config.maxProviders,
    stepsPerWorkspace: config.stepsPerWorkspace,
    ownTypes: config.types.ownNames.join(', ') || 'none',
    platformFallback: config.fallback.describe().join(', ') || 'off',
    egressNetworks: networks.join(', ') || 'only public',
    egressPorts: ports,
    egressRefused: refused.join(', ') || 'nothing more',
  };
}

/** User, host and database of a URL, without its password and parameters. */
function describeUrl(url: string): string {
  const { username, host, pathname } = new URL(url);
  return `${username}@${host}${pathname}`;
}
