/** The activities that a worker registers, as closures over their dependencies. */
import type { GrantedResolver } from '../resolver/granted-resolver.js';
import { createLlmStep } from './llm-step.js';
import { createResolveActivities } from './resolve.js';
import { createRpcStep } from './rpc-step.js';
import { createTenderlyStep } from './tenderly-step.js';

export interface ActivityDependencies {
  readonly resolver: GrantedResolver;
}

/** What `activities` of a Temporal worker takes. */
export function createActivities({ resolver }: ActivityDependencies) {
  return {
    ...createResolveActivities(resolver),
    llmStep: createLlmStep(resolver),
    tenderlyStep: createTenderlyStep(resolver),
    rpcStep: createRpcStep(resolver),
  };
}

export type ProviderActivities = ReturnType<typeof createActivities>;
