/** The activities that agents use, as closures over a resolver. */
import type { ProviderResolver } from '../resolver/provider-resolver.js';
import { createLlmStep } from './llm-step.js';
import { createResolveActivities } from './resolve.js';
import { createRpcStep } from './rpc-step.js';
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
