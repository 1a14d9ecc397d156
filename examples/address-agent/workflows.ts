/**
 * An agent that answers a question about an address: it asks a model for a plan, reads the chain, simulates a
 * transaction, and asks the model for an answer. Each step runs with the credentials of the workflow's workspace.
 */
import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { llmStep, rpcStep, type StepOptions, tenderlyStep } from 'workspace-providers/workflow';

export interface AddressQuestion {
  /** Default: the workspace of the workflow's grant. */
  readonly workspaceId?: string;
  readonly question: string;
  readonly address: string;
  readonly chainId: number;
  /** The LLM providers, in order of preference. Default: Anthropic, OpenAI, Gemini. */
  readonly providers?: readonly string[];
  readonly model?: string | Readonly<Record<string, string>>;
  /** Options of the LLM steps. The demo, which kills workers, sets a short heartbeat timeout. */
  readonly llmOptions?: StepOptions;
}

export interface AddressAnswer {
  readonly answer: string;
  readonly balanceWei: string;
  readonly transferWouldSucceed: boolean;
}

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
  if (!isQuestion(input))
    throw ApplicationFailure.nonRetryable('addressAgent needs one argument: { question, address, chainId }');
  try {
    return await answer(input);
  } catch (error) {
    throw withoutWrapping(error);
  }
}

/** A client may start a workflow with any arguments. An error that is not a failure would be retried forever. */
function isQuestion(input: Partial<AddressQuestion> | null | undefined): boolean {
  const { question, address, chainId } = input ?? {};
  return typeof question === 'string' && typeof address === 'string' && typeof chainId === 'number';
}

/** The failure of a step says what the workspace lacks; Temporal wraps it in "Activity task failed". */
function withoutWrapping(error: unknown): unknown {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure)) return error;
  return ApplicationFailure.nonRetryable(cause.message, cause.type);
}

async function answer(input: AddressQuestion): Promise<AddressAnswer> {
  const { workspaceId, question, address, chainId, model } = input;
  const provider = input.providers ?? ['anthropic', 'openai', 'gemini'];
  const llm = { workspaceId, provider, model };

  const planning = { ...llm, schema: PLAN_SCHEMA, prompt: `Plan how to answer: ${question} (${address})` };
  const { object: plan } = await llmStep<Plan>(planning, input.llmOptions);
  if (!plan) throw ApplicationFailure.nonRetryable('the model did not return a plan');

  const read = { workspaceId, chainId, method: 'eth_getBalance', params: [address, 'latest'] };
  const balance = await rpcStep<string>(read);
  // Any other error than an ApplicationFailure would make Temporal retry this workflow task forever.
  if (!/^0x[0-9a-f]+$/i.test(balance.result))
    throw ApplicationFailure.nonRetryable('the endpoint did not return a balance');
  const balanceWei = BigInt(balance.result).toString();

  const transaction = { from: address, to: NOWHERE, value: plan.transferWei };
  const simulation = await tenderlyStep({ workspaceId, networkId: String(chainId), transaction });

  const outcome = `A transfer of ${plan.transferWei} wei would ${simulation.success ? 'succeed' : 'fail'}.`;
  const prompt = `${question}\nThe balance is ${balanceWei} wei. ${outcome}\nAnswer in one sentence.`;
  const { text } = await llmStep({ ...llm, prompt }, input.llmOptions);
  return { answer: text, balanceWei, transferWouldSucceed: simulation.success };
}
