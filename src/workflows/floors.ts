/**
 * The newest version of each provider that this workflow has used: the floor of its later steps. So along one workflow
 * versions never go back, though its steps run on workers which hear of a change one after the other. One a workflow,
 * as every module is in Temporal's sandbox.
 */
import type { ProviderIdentity } from '../protocol/identity.js';
import type { ProviderReference, ProviderUse, RpcReference } from '../protocol/references.js';

const used = new Map<string, number>();

/** The reference, to no older version than this workflow has used. */
export function atLeastUsed<Type extends string>(reference: ProviderReference<Type>): ProviderReference<Type> {
  const version = used.get(keyOf(reference)) ?? 0;
  return version > reference.version ? { ...reference, version, source: 'workspace' } : reference;
}

export function endpointsAtLeastUsed(reference: RpcReference): RpcReference {
  return { ...reference, endpoints: reference.endpoints.map(atLeastUsed) };
}

export function noteUse({ workspaceId, type }: Omit<ProviderIdentity, 'name'>, { name, version, source }: ProviderUse) {
  const key = keyOf({ workspaceId, type, name });
  if (source === 'workspace' && version > (used.get(key) ?? 0)) used.set(key, version);
}

function keyOf({ workspaceId, type, name }: ProviderIdentity): string {
  return `${workspaceId}/${type}/${name}`;
}
