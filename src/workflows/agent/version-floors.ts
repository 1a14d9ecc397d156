import type { ProviderIdentity, ProviderReference, ProviderUse, RpcReference } from '../../protocol/references.js';

const used = new Map<string, number>();

/** The reference, with its version raised to the newest one that this workflow has used. */
export function atLeastUsed<Type extends string>(reference: ProviderReference<Type>): ProviderReference<Type> {
  const version = used.get(keyOf(reference)) ?? 0;
  return version > reference.version ? { ...reference, version, source: 'workspace' } : reference;
}

export function endpointsAtLeastUsed(reference: RpcReference): RpcReference {
  return { ...reference, endpoints: reference.endpoints.map(atLeastUsed) };
}

/** @param use - absent if a test mocks the activity */
export function noteUse(of: Omit<ProviderIdentity, 'name'>, use: ProviderUse | undefined): void {
  if (use?.source !== 'workspace') return;
  const key = keyOf({ ...of, name: use.name });
  used.set(key, Math.max(use.version, used.get(key) ?? 0));
}

function keyOf({ workspaceId, type, name }: ProviderIdentity): string {
  return `${workspaceId}/${type}/${name}`;
}
