/** Where the next credential of a provider that is due comes from, when a schedule asks and nobody is there to answer. */
import { randomUUID } from 'node:crypto';
import type { ProviderIdentity } from '../protocol/references.js';
import type { PreparedRotation } from '../protocol/schedules.js';
import { keyIssuerOf } from '../providers/registry.js';
import type { ManagementStore } from '../store/management-store.js';

/** Takes the rotation that was staged ahead, else stages one whose key the service will make, where it can. */
export async function prepareDueRotation(
  provider: ProviderIdentity,
  store: Pick<ManagementStore, 'readWorkspace' | 'stageDueRotation'>,
): Promise<PreparedRotation> {
  const canBeIssued = await canIssue(provider, store);
  const requestedBy = 'rotateDueProviders';
  return store.stageDueRotation({ rotationId: randomUUID(), provider, canBeIssued, requestedBy });
}

/** Whether the service has an API for that, and the workspace a credential for it. */
async function canIssue(
  { workspaceId, type, name }: ProviderIdentity,
  store: Pick<ManagementStore, 'readWorkspace'>,
): Promise<boolean> {
  const keys = keyIssuerOf(type, name);
  if (!keys?.issue) return false;
  const { providers } = await store.readWorkspace(workspaceId);
  return providers.some((each) => each.type === keys.adminType && each.name === name && each.status === 'active');
}
