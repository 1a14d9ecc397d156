/** Resolve activities: they hand a workflow a reference, never a credential. */
import type { ProviderReference, RpcReference } from '../protocol/references.js';
import type { ResolveLlmKeyInput, ResolveRpcEndpointInput, ResolveTenderlyConfigInput } from '../protocol/steps.js';
import type { GrantedResolver } from '../resolver/granted-resolver.js';
import { atTheEdge } from './failures.js';

export function createResolveActivities(resolver: GrantedResolver) {
  return {
    resolveLlmKey: ({ workspaceId, provider }: ResolveLlmKeyInput): Promise<ProviderReference<'llm'>> =>
      atTheEdge(() => resolver.resolveLlmKey(workspaceId, provider)),

    resolveTenderlyConfig: ({ workspaceId }: ResolveTenderlyConfigInput): Promise<ProviderReference<'tenderly'>> =>
      atTheEdge(() => resolver.resolveTenderlyConfig(workspaceId)),

    resolveRpcEndpoint: ({ workspaceId, chainId }: ResolveRpcEndpointInput): Promise<RpcReference> =>
      atTheEdge(() => resolver.resolveRpcEndpoint(workspaceId, chainId)),
  };
}
