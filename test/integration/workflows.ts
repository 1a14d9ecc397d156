/** The agents of these tests, written like a user's agents with the package's API for workflows. */
import { type ActivityOptions, condition, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';
import {
  type Json,
  type LlmStepInput,
  type LlmStepResult,
  llmStep,
  type ProviderReference,
  type RpcStepInput,
  type RpcStepResult,
  resolveLlmKey,
  resolveRpcEndpoint,
  rpcStep,
  type StepOptions,
} from '../../src/workflow.js';

import type * as ownActivities from './own-activities.js';

export { addressAgent } from '../../examples/address-agent/workflows.js';

export interface ModelQuestion extends Omit<LlmStepInput, 'ref'> {
  readonly workspaceId: string;
  readonly provider?: string | readonly string[];
  /** The names of the providers that are asked if the first one does not answer. */
  readonly orElse?: readonly string[];
  readonly resolveOptions?: StepOptions;
  readonly stepOptions?: StepOptions;
}

export interface ModelAnswer extends LlmStepResult {
  readonly ref: ProviderReference<'llm'>;
}

export async function askModel(question: ModelQuestion): Promise<ModelAnswer> {
  const { workspaceId, provider = 'anthropic', orElse = [], resolveOptions, stepOptions, ...input } = question;
  const resolve = (name: string | readonly string[]) => resolveLlmKey({ workspaceId, provider: name }, resolveOptions);
  const ref = await resolve(provider);
  const fallbacks = await Promise.all(orElse.map(resolve));
  return { ref, ...(await llmStep({ ref, ...(fallbacks.length > 0 && { fallbacks }), ...input }, stepOptions)) };
}

export const goOn = defineSignal('goOn');

/** Asks, sleeps until a signal, and asks again with the same reference. */
export async function askSleepAsk(question: ModelQuestion): Promise<readonly [ModelAnswer, LlmStepResult]> {
  let mayGoOn = false;
  setHandler(goOn, () => {
    mayGoOn = true;
  });
  const first = await askModel(question);
  await condition(() => mayGoOn);
  return [first, await llmStep({ ref: first.ref, prompt: question.prompt }, question.stepOptions)];
}

export interface ChainQuestion extends Omit<RpcStepInput, 'ref'> {
  readonly workspaceId: string;
  readonly chainId: number;
  readonly stepOptions?: StepOptions;
}

export async function readChain({
  workspaceId,
  chainId,
  stepOptions,
  ...input
}: ChainQuestion): Promise<RpcStepResult> {
  const ref = await resolveRpcEndpoint({ workspaceId, chainId });
  return rpcStep<Json>({ ref, ...input }, stepOptions);
}

/** Returns only how large the result is: the workflow's own result goes through the history of whoever waits for it. */
export async function sizeOfRead(question: ChainQuestion): Promise<number> {
  return JSON.stringify((await readChain(question)).result).length;
}

export interface ActivityCall {
  readonly name: string;
  readonly options?: ActivityOptions;
}

/** Calls any activity without input. */
export async function callActivity({ name, options }: ActivityCall): Promise<void> {
  const activities = proxyActivities<Record<string, () => Promise<void>>>({
    startToCloseTimeout: '1 minute',
    ...options,
  });
  await activities[name]?.();
}

export interface ComparisonQuestion {
  readonly workspaceId: string;
  readonly chainId: number;
  readonly address: `0x${string}`;
}

const own = proxyActivities<typeof ownActivities>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '20 milliseconds' },
});

/** Uses its own activities together with those of the package. */
export async function compareModels({ workspaceId, chainId, address }: ComparisonQuestion) {
  const prompt = `What does ${workspaceId} want?`;
  const askWith = async (provider: string, ask: typeof own.askClaude) =>
    ask({ ref: await resolveLlmKey({ workspaceId, provider }), prompt });
  const answers = await Promise.all([
    askWith('anthropic', own.askClaude),
    askWith('openai', own.askGpt),
    askWith('gemini', own.askGemini),
  ]);
  const { endpoints } = await resolveRpcEndpoint({ workspaceId, chainId });
  const [ref] = endpoints;
  return { answers, balanceWei: ref && (await own.readBalance({ ref, address })) };
}
