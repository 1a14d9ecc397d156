/** Simulates a transaction in the workspace's Tenderly project. */
import { checkReference } from '../protocol/names.js';
import type { TenderlyStepInput, TenderlyStepResult } from '../protocol/steps.js';
import { simulate } from '../providers/tenderly/simulation.js';
import type { ProviderResolver } from '../resolver/provider-resolver.js';
import { runWithHeartbeat } from './run-activity.js';

export function createTenderlyStep(resolver: ProviderResolver) {
  return (input: TenderlyStepInput): Promise<TenderlyStepResult> =>
    runWithHeartbeat((signal) => tenderlyStep(resolver, input, signal));
}

function tenderlyStep(resolver: ProviderResolver, input: TenderlyStepInput, signal: AbortSignal) {
  const { ref, ...simulation } = input;
  return resolver.withProvider(
    checkReference(ref, 'tenderly'),
    async ({ credential, use, fetch }) => ({
      ...(await simulate(credential, simulation, { fetch, signal })),
      provider: use,
    }),
    signal,
  );
}
