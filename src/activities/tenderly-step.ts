/** Simulates a transaction, or several in one block, in the workspace's Tenderly project. */
import type {
  TenderlyBundleInput,
  TenderlyBundleResult,
  TenderlyStepInput,
  TenderlyStepResult,
} from '../protocol/simulations.js';
import { simulate } from '../providers/tenderly/simulation.js';
import type { ProviderResolver } from '../resolver/provider-resolver.js';
import { opened } from './opened-provider.js';
import { activity } from './run-activity.js';
import { tenderlyStepInput } from './step-inputs.js';

type Step = ((input: TenderlyStepInput) => Promise<TenderlyStepResult>) &
  ((input: TenderlyBundleInput) => Promise<TenderlyBundleResult>);

export function createTenderlyStep(resolver: ProviderResolver): Step {
  const step = activity(
    'tenderlyStep',
    tenderlyStepInput,
    (input, signal): Promise<TenderlyStepResult | TenderlyBundleResult> =>
      resolver.inTurn(input.ref ?? input, signal, (workspaceId) => tenderlyStep(resolver, workspaceId, input, signal)),
  );
  return step as Step;
}

function tenderlyStep(
  resolver: ProviderResolver,
  workspaceId: string,
  { ref, atLeast, ...request }: TenderlyStepInput | TenderlyBundleInput,
  signal: AbortSignal,
): Promise<TenderlyStepResult | TenderlyBundleResult> {
  return opened(
    resolver,
    ref ?? { workspaceId, type: 'tenderly', name: 'default', atLeast },
    async (_, { credential, use, fetch }) => {
      const simulations = await simulate(credential, request, { fetch, signal });
      const [first] = simulations;
      if ('transaction' in request && request.transaction && first) return { ...first, provider: use };
      return { success: simulations.every(({ success }) => success), simulations, provider: use };
    },
    signal,
  );
}
