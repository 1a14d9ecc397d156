/** The example agent in other forms of its steps, for the size of their histories. */
import { proxyLocalActivities } from '@temporalio/workflow';
import type { AddressQuestion } from '../../examples/address-agent/workflows.js';
import type { ProviderActivities } from '../../src/activities/provider-activities.js';
import { llmStep, rpcStep, tenderlyStep } from '../../src/workflow.js';

export { addressAgent as byName } from '../../examples/address-agent/workflows.js';
export { addressAgent as byReference } from '../replay/address-agent-with-references.js';

const local = proxyLocalActivities<ProviderActivities>({ startToCloseTimeout: '1 minute' });

const SCHEMA = {
  type: 'object',
  properties: {
    transferWei: { type: 'string', description: 'how many wei to try to transfer from the address, in decimal' },
  },
  required: ['transferWei'],
  additionalProperties: false,
};

/** What the example agent asks, in its words. */
function askedBy({ question, address, chainId, providers = ['anthropic', 'openai', 'gemini'] }: AddressQuestion) {
  return {
    provider: providers,
    plan: { schema: SCHEMA, prompt: `Plan how to answer: ${question} (${address})` },
    read: { method: 'eth_getBalance', params: [address, 'latest'] },
    simulation: {
      networkId: String(chainId),
      transaction: { from: address, to: '0x000000000000000000000000000000000000dEaD', value: '1000000000000000000' },
    },
    answer: {
      prompt: `${question}\nThe balance is 10000000000000000000000 wei. A transfer of 1000000000000000000 wei would succeed.\nAnswer in one sentence.`,
    },
  };
}

/** Two activities per step, of which the resolve is a local one. */
export async function byLocalReference(input: AddressQuestion): Promise<void> {
  const { provider, plan, read, simulation, answer } = askedBy(input);
  const ref = await local.resolveLlmKey({ provider });
  await llmStep({ ref, ...plan });
  await rpcStep({ ref: await local.resolveRpcEndpoint({ chainId: input.chainId }), ...read });
  await tenderlyStep({ ref: await local.resolveTenderlyConfig({}), ...simulation });
  await llmStep({ ref, ...answer });
}

/** One activity per step; those of a chain, which take no time to speak of and cost nothing, are local ones. */
export async function byNameWithLocalReads(input: AddressQuestion): Promise<void> {
  const { provider, plan, read, simulation, answer } = askedBy(input);
  await llmStep({ provider, ...plan });
  await local.rpcStep({ chainId: input.chainId, ...read });
  await local.tenderlyStep(simulation);
  await llmStep({ provider, ...answer });
}
