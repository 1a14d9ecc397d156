/** The configuration of a process that changes providers. Its login is not the one of a worker. */
import type { EgressPolicy } from '../egress/policy.js';
import type { ProviderTypes } from '../providers/provider-types.js';
import type { RootKeyring } from '../sealing/root-keyring.js';
import type { DatabaseOptions } from '../store/pool.js';
import { readTypes } from './provider-types-module.js';
import { readConfig, readEgress, readRootKeyring, type StoreOptions } from './resolver-config.js';
import type { Settings } from './settings.js';

/** The options of `ProviderClient.connect`. An option that is absent is read from its setting. */
export interface ProviderClientOptions extends StoreOptions {
  /**
   * For a login that was granted `provider_manager`. Settings: `PROVIDER_MANAGER_DATABASE_URL`, `DATABASE_URL`.
   * Required.
   */
  readonly databaseUrl?: string;
}

export interface ManagerConfig {
  readonly database: DatabaseOptions;
  readonly rootKeyring: RootKeyring;
  readonly egress: EgressPolicy;
  readonly types: ProviderTypes;
}

/** @throws ProviderError `SetupInvalid` naming each setting that does not fit, and what it should be */
export function readManagerConfig(options: ProviderClientOptions): ManagerConfig {
  return readConfig(options, (settings) => ({
    database: managerDatabase(settings),
    rootKeyring: readRootKeyring(settings),
    egress: readEgress(settings),
    types: readTypes(settings),
  }));
}

/** Only the database, for what opens no credential. @throws ProviderError `SetupInvalid` */
export function readManagerDatabase(env: NodeJS.ProcessEnv): DatabaseOptions {
  return readConfig({ env }, managerDatabase);
}

function managerDatabase(settings: Settings): DatabaseOptions {
  return {
    databaseUrl: settings.requiredDatabaseUrl(
      'set it to postgres://…, the database of workspace_providers, with a login that was granted provider_manager',
      'PROVIDER_MANAGER_DATABASE_URL',
      'DATABASE_URL',
    ),
    preparedStatements: settings.flag('PROVIDER_PREPARED_STATEMENTS'),
  };
}

/** The database URL of the login that migrates the schema. @throws ProviderError `SetupInvalid` */
export function readAdminDatabaseUrl(settings: Settings): string {
  settings.refuseMisspelt();
  const url = settings.requiredDatabaseUrl(
    'set it to postgres://…, the database to set up, with a login that owns it and may create roles',
    'PROVIDER_ADMIN_DATABASE_URL',
    'DATABASE_URL',
  );
  settings.throwIfRefused();
  return url;
}
