/** Resolve activities: they return a reference to a workflow, never a credential. */
import type { ProviderReference, RpcReference } from '../protocol/references.js';
import type { ResolveLlmKeyInput, ResolveRpcEndpointInput, ResolveTenderlyConfigInput } from '../protocol/steps.js';
import type { ProviderResolver } from '../resolver/provider-resolver.js';
import { runActivity } from './run-activity.js';

export function createResolveActivities(resolver: ProviderResolver) {
  return {
    resolveLlmKey: (input: ResolveLlmKeyInput): Promise<ProviderReference<'llm'>> =>
      runActivity(() => resolver.resolveLlmKey(input)),

    resolveTenderlyConfig: (input: ResolveTenderlyConfigInput): Promise<ProviderReference<'tenderly'>> =>
      runActivity(() => resolver.resolveTenderlyConfig(input)),

    resolveRpcEndpoint: (input: ResolveRpcEndpointInput): Promise<RpcReference> =>
      runActivity(() => resolver.resolveRpcEndpoint(input)),
  };
}
