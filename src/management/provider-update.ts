/** Prepares an update of a provider: what will be written, and the version that it is made from. */
import { isDeepStrictEqual } from 'node:util';
import { checkIdentity } from '../protocol/names.js';
import { checkDestination, type ParsedProvider } from '../providers/parse-provider.js';
import { findProvider } from './find-provider.js';
import { changeProvider, type ProviderChange } from './provider-change.js';
import type { UpdateProviderInput } from './provider-inputs.js';
import type { ManagementParts } from './rotation-credentials.js';

export interface PreparedUpdate {
  readonly parsed: ParsedProvider;
  readonly encryptedConfig: string;
  readonly expectedVersion: number;
}

/** @throws ProviderError as `ProviderClient.updateProvider` */
export async function prepareUpdate(
  { expectedVersion, config, secret: given, ...identity }: UpdateProviderInput,
  { store, vault, egress, types }: ManagementParts,
): Promise<PreparedUpdate> {
  const workspace = await store.readWorkspace(checkIdentity(identity).workspaceId);
  const record = findProvider(identity, workspace);
  const secret = await vault.open(identity, record, workspace.dataKeys);
  const change: ProviderChange = { ...(config && { config }), ...(given && { secret: given }) };
  const parsed = changeProvider(identity, { config: record.config, secret }, change, types);
  checkDestination(parsed, egress);
  const isSameDestination = parsed.destination === types.destinationOf(identity.type, identity.name, record.config);
  // A secret that is sealed again would count as rotated.
  const encryptedConfig =
    isSameDestination && isDeepStrictEqual(parsed.secret, secret)
      ? record.encryptedConfig
      : await vault.seal(identity, parsed, workspace);
  return { parsed, encryptedConfig, expectedVersion: expectedVersion ?? record.version };
}
