/** Simulates a transaction in the workspace's Tenderly project. */
import type { TenderlyStepInput, TenderlyStepResult } from '../protocol/steps.js';
import { simulate } from '../providers/tenderly/simulation.js';
import type { ProviderResolver } from '../resolver/provider-resolver.js';
import { activity } from './run-activity.js';
import { tenderlyStepInput } from './step-inputs.js';

export function createTenderlyStep(resolver: ProviderResolver) {
  return activity(
    'tenderlyStep',
    tenderlyStepInput,
    (input, signal): Promise<TenderlyStepResult> =>
      resolver.inTurn(input.ref, signal, () => tenderlyStep(resolver, input, signal)),
  );
}

function tenderlyStep(resolver: ProviderResolver, input: TenderlyStepInput, signal: AbortSignal) {
  const { ref, ...simulation } = input;
  return resolver.withProvider(
    ref,
    async ({ credential, use, fetch }) => ({
      ...(await simulate(credential, simulation, { fetch, signal })),
      provider: use,
    }),
    signal,
  );
}
