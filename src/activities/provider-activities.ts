/** The activities that agents use, as closures over a resolver. */
import type { ProviderReference, RpcReference } from '../protocol/references.js';
import type { ResolveLlmKeyInput, ResolveRpcEndpointInput, ResolveTenderlyConfigInput } from '../protocol/steps.js';
import type { ProviderResolver } from '../resolver/provider-resolver.js';
import { createLlmStep } from './llm-step.js';
import { createRpcStep } from './rpc-step.js';
import { runActivity } from './run-activity.js';
import { createTenderlyStep } from './tenderly-step.js';

/** @param resolver - scoped to the workspace that the running workflow was granted */
export function createProviderActivities(resolver: ProviderResolver) {
  return {
    ...createResolveActivities(resolver),
    llmStep: createLlmStep(resolver),
    tenderlyStep: createTenderlyStep(resolver),
    rpcStep: createRpcStep(resolver),
  };
}

export type ProviderActivities = ReturnType<typeof createProviderActivities>;

/** These activities return references to the workflow, never credentials. */
function createResolveActivities(resolver: ProviderResolver) {
  return {
    resolveLlmKey: (input: ResolveLlmKeyInput): Promise<ProviderReference<'llm'>> =>
      runActivity(() => resolver.resolveLlmKey(input)),

    resolveTenderlyConfig: (input: ResolveTenderlyConfigInput): Promise<ProviderReference<'tenderly'>> =>
      runActivity(() => resolver.resolveTenderlyConfig(input)),

    resolveRpcEndpoint: (input: ResolveRpcEndpointInput): Promise<RpcReference> =>
      runActivity(() => resolver.resolveRpcEndpoint(input)),
  };
}
