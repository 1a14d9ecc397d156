/** A provider as the CLI or a settings page may show it. It contains no secret. */

import { type Duration, formatDuration } from '../config/duration.js';
import { isProviderError } from '../protocol/errors.js';
import type { FailureType } from '../protocol/failure-types.js';
import { checkWorkspaceId } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { ProviderTypes } from '../providers/provider-types.js';
import type { ManagementStore, ProviderCheck, ProviderRow } from '../store/management-store.js';
import type { WrappedDataKey } from '../store/ports.js';
import { isObject, type Masked, maskSecret } from './masking.js';
import type { SecretVault } from './secret-vault.js';

export interface ProviderSummary extends ProviderIdentity {
  readonly status: 'active' | 'disabled';
  readonly version: number;
  /** Whether it opens and fits its type, so that a worker could use it. */
  readonly readable: boolean;
  /** Why it is not readable. */
  readonly problem?: FailureType;
  /** The public config. Empty if not readable: a config that does not fit its type may contain anything. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The secret fields, masked: `{ apiKey: '…a1b2' }`. In an update a mask means "unchanged". Empty if not readable. */
  readonly secret: Readonly<Record<string, Masked>>;
  /** Facts that may be shown: masked key, host, chain id. Empty if not readable. */
  readonly shown: Readonly<Record<string, string | number>>;
  /** The last check of this version against the live service. Absent if it was never checked. */
  readonly lastCheck?: ProviderCheck;
  /** The age at which the credential is due for rotation. Absent if it is rotated only on request. */
  readonly rotateEvery?: Duration;
  readonly createdAt: Date;
  /** When the version was last raised. */
  readonly updatedAt: Date;
  /** When the secret was last replaced. */
  readonly rotatedAt: Date;
  /** The minute in which a step last received it; it is known after a minute at most. Absent if no step ever did. */
  readonly lastUsedAt?: Date;
}

/** What opens a row. */
interface OpeningParts {
  readonly vault: SecretVault;
  readonly types: ProviderTypes;
}

/** @throws ProviderError as `ProviderClient.listProviders` */
export async function listSummaries(
  workspaceId: string,
  { store, ...opening }: OpeningParts & { readonly store: ManagementStore },
): Promise<ProviderSummary[]> {
  const rows = await store.listProviders(checkWorkspaceId(workspaceId));
  // Read after the rows, so that no row is sealed under a key that is missing in the list.
  const { dataKeys } = await store.readWorkspace(workspaceId);
  return Promise.all(rows.map((row) => summarize(workspaceId, row, dataKeys, opening)));
}

/** @throws ProviderError `KeyServiceUnavailable`: it is then unknown whether the provider is readable */
async function summarize(
  workspaceId: string,
  row: ProviderRow,
  dataKeys: readonly WrappedDataKey[],
  { vault, types }: OpeningParts,
): Promise<ProviderSummary> {
  const { type, name, status, version, lastCheck, rotateEveryMs, createdAt, updatedAt, rotatedAt, lastUsedAt } = row;
  const identity = { workspaceId, type, name };
  const facts = { ...identity, status, version };
  const times = {
    ...(lastCheck && { lastCheck }),
    ...(rotateEveryMs !== undefined && { rotateEvery: formatDuration(rotateEveryMs) }),
    createdAt,
    updatedAt,
    rotatedAt,
    ...(lastUsedAt && { lastUsedAt }),
  };
  try {
    const secret = await vault.open(identity, row, dataKeys);
    const { config, shown } = types.parse(type, name, row.config, secret);
    const masked = Object.entries(secret).map(([field, value]) => [field, maskSecret(value)] as const);
    const publicConfig = isObject(config) ? config : {};
    return { ...facts, readable: true, config: publicConfig, secret: Object.fromEntries(masked), shown, ...times };
  } catch (error) {
    if (!isProviderError(error) || error.retryable) throw error;
    return { ...facts, readable: false, problem: error.type, config: {}, secret: {}, shown: {}, ...times };
  }
}
