/** The activities that agents use, as closures over a resolver. */
import type { NamedProvider, ProviderReference, RpcReference } from '../protocol/references.js';
import type { ProviderResolver } from '../resolver/provider-resolver.js';
import { createLlmStep } from './llm-step.js';
import { createRpcStep } from './rpc-step.js';
import { activity } from './run-activity.js';
import {
  resolveLlmKeyInput,
  resolveProviderInput,
  resolveRpcEndpointInput,
  resolveTenderlyConfigInput,
} from './step-inputs.js';
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
    resolveProvider: activity(
      'resolveProvider',
      resolveProviderInput,
      // Which types there are, the resolver knows.
      (input): Promise<ProviderReference> => resolver.resolveProvider(input as NamedProvider<'http'>),
    ),

    resolveLlmKey: activity(
      'resolveLlmKey',
      resolveLlmKeyInput,
      (input): Promise<ProviderReference<'llm'>> => resolver.resolveLlmKey(input),
    ),

    resolveTenderlyConfig: activity(
      'resolveTenderlyConfig',
      resolveTenderlyConfigInput,
      (input): Promise<ProviderReference<'tenderly'>> => resolver.resolveTenderlyConfig(input),
    ),

    resolveRpcEndpoint: activity(
      'resolveRpcEndpoint',
      resolveRpcEndpointInput,
      (input): Promise<RpcReference> => resolver.resolveRpcEndpoint(input),
    ),
  };
}
