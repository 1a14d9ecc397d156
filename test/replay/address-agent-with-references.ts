/**
 * The example agent in two activities per step: it resolves a reference, and calls a step with it. Histories of this form
 * are kept, and what one activity per step saves is measured beside it.
 */
import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import type { AddressAnswer, AddressQuestion } from '../../examples/address-agent/workflows.js';
import {
  llmStep,
  resolveLlmKey,
  resolveRpcEndpoint,
  resolveTenderlyConfig,
  rpcStep,
  tenderlyStep,
} from '../../src/workflow.js';

interface Plan {
  readonly transferWei: string;
}

const PLAN_SCHEMA = {
  type: 'object',
  properties: {
    transferWei: { type: 'string', description: 'how many wei to try to transfer from the address, in decimal' },
  },
  required: ['transferWei'],
  additionalProperties: false,
};

const NOWHERE = '0x000000000000000000000000000000000000dEaD';

export async function addressAgent(input: AddressQuestion): Promise<AddressAnswer> {
  try {
    return await answer(input);
  } catch (error) {
    throw withoutWrapping(error);
  }
}

/** The failure of a step says what the workspace lacks; Temporal wraps it in "Activity task failed". */
function withoutWrapping(error: unknown): unknown {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure)) return error;
  return ApplicationFailure.nonRetryable(cause.message, cause.type);
}

async function answer(input: AddressQuestion): Promise<AddressAnswer> {
  const { workspaceId, question, address, chainId, model } = input;
  const providers = input.providers ?? ['anthropic', 'openai', 'gemini'];

  const llm = await resolveLlmKey({ workspaceId, provider: providers });
  const planning = { ref: llm, model, schema: PLAN_SCHEMA, prompt: `Plan how to answer: ${question} (${address})` };
  const { object: plan } = await llmStep<Plan>(planning, input.llmOptions);
  if (!plan) throw ApplicationFailure.nonRetryable('the model did not return a plan');

  const chain = await resolveRpcEndpoint({ workspaceId, chainId });
  const balance = await rpcStep<string>({ ref: chain, method: 'eth_getBalance', params: [address, 'latest'] });
  // Any other error than an ApplicationFailure would make Temporal retry this workflow task forever.
  if (!/^0x[0-9a-f]+$/i.test(balance.result))
    throw ApplicationFailure.nonRetryable('the endpoint did not return a balance');
  const balanceWei = BigInt(balance.result).toString();

  const tenderly = await resolveTenderlyConfig({ workspaceId });
  const transaction = { from: address, to: NOWHERE, value: plan.transferWei };
  const simulation = await tenderlyStep({ ref: tenderly, networkId: String(chainId), transaction });

  const outcome = `A transfer of ${plan.transferWei} wei would ${simulation.success ? 'succeed' : 'fail'}.`;
  const prompt = `${question}\nThe balance is ${balanceWei} wei. ${outcome}\nAnswer in one sentence.`;
  const { text } = await llmStep({ ref: llm, model, prompt }, input.llmOptions);
  return { answer: text, balanceWei, transferWouldSucceed: simulation.success };
}
