/** Checks a stored credential against the live service, for an operator or a schedule. */

import type { Fetch } from '../egress/http-client.js';
import type { Reporter } from '../observer/observer.js';
import { isProviderError } from '../protocol/errors.js';
import { checkIdentity } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import { checkLive } from '../providers/live-check.js';
import type { ProviderTypes } from '../providers/provider-types.js';
import type { CheckResult } from '../providers/type.js';
import type { ManagementStore } from '../store/management-store.js';
import { findProvider } from './find-provider.js';
import type { SecretVault } from './secret-vault.js';

export interface ProviderCheckReport extends ProviderIdentity, CheckResult {
  /** The version that was checked. */
  readonly version: number;
  readonly tookMs: number;
}

export interface ProviderCheckDependencies {
  readonly store: ManagementStore;
  readonly vault: SecretVault;
  readonly fetch: Fetch;
  readonly types: ProviderTypes;
  readonly observer: Pick<Reporter, 'report'>;
}

/**
 * Checks a provider by a call that costs nothing, and records the result. A disabled provider is checked too.
 *
 * @throws ProviderError `ProviderNotConfigured`, `CredentialUnreadable`, `ProviderConfigInvalid` if the service shows
 *   that the config is wrong, as an RPC endpoint of another chain does
 */
export async function checkProvider(
  identity: ProviderIdentity,
  { store, vault, fetch, types, observer }: ProviderCheckDependencies,
): Promise<ProviderCheckReport> {
  const { workspaceId, type, name } = checkIdentity(identity);
  const workspace = await store.readWorkspace(workspaceId);
  const record = findProvider(identity, workspace);
  const { version } = record;
  const secret = await vault.open(identity, record, workspace.dataKeys);
  const parsed = types.parse(type, name, record.config, secret);
  const startMs = performance.now();
  try {
    const { outcome, detail } = await checkLive(parsed, fetch);
    const tookMs = Math.round(performance.now() - startMs);
    observer.report({ what: 'checked', type, outcome });
    await store.recordCheck(identity, version, outcome);
    return { workspaceId, type, name, version, outcome, detail, tookMs };
  } catch (error) {
    // An earlier "ok" would be wrong now, and nothing is known about the credential itself.
    if (isProviderError(error, 'ProviderConfigInvalid')) await store.recordCheck(identity, version, 'cannot-tell');
    throw error;
  }
}
