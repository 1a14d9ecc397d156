/** Simulates a transaction in the workspace's Tenderly project. */
import { checkReference } from '../protocol/names.js';
import type { TenderlyStepInput, TenderlyStepResult } from '../protocol/steps.js';
import { simulate } from '../providers/tenderly-simulation.js';
import type { GrantedResolver } from '../resolver/granted-resolver.js';
import { alive } from './heartbeat.js';

export function createTenderlyStep(resolver: GrantedResolver) {
  return (input: TenderlyStepInput): Promise<TenderlyStepResult> =>
    alive((signal) => tenderlyStep(resolver, input, signal));
}

function tenderlyStep(resolver: GrantedResolver, input: TenderlyStepInput, signal: AbortSignal) {
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
