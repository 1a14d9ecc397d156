/** The settings of whoever manages providers: another login than a worker's, granted `provider_manager`. */
import type { EgressPolicy } from '../egress/policy.js';
import type { RootKeyring } from '../sealing/root-keyring.js';
import type { DatabaseOptions } from '../store/pool.js';
import { readStoreSettings } from '../temporal/provider-config.js';
import { Settings } from '../temporal/settings.js';

export interface ProviderClientConfig {
  readonly store: DatabaseOptions;
  readonly rootKeyring: RootKeyring;
  /** Where services may be: for what is configured, and for checks. Default: public addresses alone, by https. */
  readonly egress?: EgressPolicy;
}

/**
 * From `DATABASE_URL`, `ENCRYPTION_KEY`, `PROVIDER_PREPARED_STATEMENTS` and `PROVIDER_EGRESS_…`; see `docs/configuration.md`.
 *
 * @throws ProviderError `ProviderConfigInvalid` naming each setting that does not fit, and what it should be
 */
export function providerClientConfigFromEnv(env: NodeJS.ProcessEnv): ProviderClientConfig {
  const settings = new Settings(env);
  const { rootKeyring, egress, ...store } = readStoreSettings(settings);
  settings.throwIfRefused();
  return { store, rootKeyring, egress };
}
