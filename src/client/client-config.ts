/** The settings of whoever manages providers: another login than a worker's, granted `provider_manager`. */
import { parseLocalKeyring } from '../sealing/local-keyring.js';
import type { RootKeyring } from '../sealing/root-keyring.js';
import type { DatabaseOptions } from '../store/pool.js';
import { Settings } from '../temporal/settings.js';

export interface ProviderClientConfig {
  readonly store: DatabaseOptions;
  readonly rootKeyring: RootKeyring;
}

/**
 * From `DATABASE_URL`, `ENCRYPTION_KEY` and `PROVIDER_PREPARED_STATEMENTS`; see `docs/configuration.md`.
 *
 * @throws ProviderError `ProviderConfigInvalid` naming each setting that does not fit, and what it should be
 */
export function providerClientConfigFromEnv(env: NodeJS.ProcessEnv): ProviderClientConfig {
  const settings = new Settings(env);
  const databaseUrl = settings.required('DATABASE_URL', 'the Postgres that holds workspace_providers, as postgres://…');
  const rootKeyring = settings.parsed('ENCRYPTION_KEY', () => parseLocalKeyring(env.ENCRYPTION_KEY));
  const preparedStatements = settings.flag('PROVIDER_PREPARED_STATEMENTS', true);
  settings.throwIfRefused();
  return { store: { databaseUrl, preparedStatements }, rootKeyring: rootKeyring as RootKeyring };
}
