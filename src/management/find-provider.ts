import { notConfigured } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { ProviderRecord, WorkspaceSnapshot } from '../store/ports.js';

/** @throws ProviderError `ProviderNotConfigured` */
export function findProvider(
  provider: ProviderIdentity,
  { providers }: Pick<WorkspaceSnapshot, 'providers'>,
): ProviderRecord {
  const record = providers.find(({ type, name }) => type === provider.type && name === provider.name);
  if (!record) throw notConfigured(provider);
  return record;
}
