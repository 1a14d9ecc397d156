/** Agents of the leak test. They try every provider of a workspace, and return the outcome of each. */
import { condition, defineQuery, defineSignal, defineUpdate, proxyActivities, setHandler } from '@temporalio/workflow';
import {
  llmStep,
  type ProviderReference,
  resolveLlmKey,
  resolveRpcEndpoint,
  resolveTenderlyConfig,
  rpcStep,
  type StepOptions,
  tenderlyStep,
} from '../../src/workflow.js';
import type * as activities from './user-activities.js';

export interface Probe {
  readonly workspaceId: string;
  readonly llms: readonly string[];
  readonly chains: readonly number[];
  /** The task queue of a worker with only this package's activities. Default: this worker, with its own activities. */
  readonly stepsOn?: string;
  /** Whether a failed activity is left waiting for its next attempt. Default: false. */
  readonly leftPending?: boolean;
}

const ADDRESS = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266';

/** The whole text of a failure, which goes into the history. */
function say(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 8) return String(error);
  return `${error} ${error.stack} ${JSON.stringify(error)} < ${say(error.cause, depth + 1)}`;
}

async function outcome(what: string, run: () => Promise<unknown>): Promise<string> {
  try {
    return `${what}: ${JSON.stringify(await run())}`;
  } catch (error) {
    return `${what}: ${say(error)}`;
  }
}

const patient = proxyActivities<typeof activities>({
  startToCloseTimeout: '20 seconds',
  scheduleToCloseTimeout: '2 minutes',
  retry: { maximumAttempts: 2 },
});

/** Reads an answer as a stream and as it is, where there is one to read. */
function readIn(workspaceId: string, provider: string): Promise<string>[] {
  const resolved = () => resolveLlmKey({ workspaceId, provider });
  return [
    outcome(`${provider} by a stream`, async () => patient.streamWithAiSdk({ ref: await resolved(), prompt: 'Why?' })),
    outcome(`${provider} by fetch`, async () => patient.readsBody({ ref: await resolved(), prompt: '' })),
  ];
}

export async function probe({ workspaceId, llms, chains, stepsOn, leftPending }: Probe): Promise<string[]> {
  const options: StepOptions = {
    startToCloseTimeout: '3 seconds',
    scheduleToCloseTimeout: leftPending ? '1 hour' : '30 seconds',
    retry: leftPending ? { initialInterval: '1 hour' } : { maximumAttempts: 1 },
    ...(stepsOn !== undefined && { taskQueue: stepsOn }),
  };
  const resolving = { ...options, retry: { maximumAttempts: 3 } };
  const own = proxyActivities<typeof activities>(options);
  const attempts: Promise<string>[] = [];
  for (const provider of llms) {
    const ask = async () => {
      const ref = await resolveLlmKey({ workspaceId, provider }, resolving);
      return llmStep({ ref, prompt: `What does ${workspaceId} want?`, maxOutputTokens: 50 }, options);
    };
    attempts.push(outcome(`${provider} by llmStep`, ask));
    if (stepsOn !== undefined) continue;
    if (/-200$/.test(workspaceId)) attempts.push(...readIn(workspaceId, provider));
    const official = { anthropic: own.askClaude, openai: own.askGpt, gemini: own.askGemini }[provider];
    if (!official) continue;
    const askWithSdk = async () => official({ ref: await resolveLlmKey({ workspaceId, provider }), prompt: 'Why?' });
    attempts.push(outcome(`${provider} by its own SDK`, askWithSdk));
  }
  for (const chainId of chains) {
    const read = async () => {
      const ref = await resolveRpcEndpoint({ workspaceId, chainId }, resolving);
      return rpcStep({ ref, method: 'eth_getCode', params: [ADDRESS, 'latest'] }, options);
    };
    attempts.push(outcome(`chain ${chainId} by rpcStep`, read));
    if (stepsOn !== undefined) continue;
    const readWithViem = async () => {
      const { endpoints } = await resolveRpcEndpoint({ workspaceId, chainId }, resolving);
      return own.readBalance({ ref: endpoints[0] as ProviderReference<'rpc'>, address: ADDRESS });
    };
    attempts.push(outcome(`chain ${chainId} by viem`, readWithViem));
  }
  const simulate = async () => {
    const ref = await resolveTenderlyConfig({ workspaceId }, resolving);
    return tenderlyStep({ ref, networkId: '1', transaction: { from: ADDRESS, to: ADDRESS, value: '1' } }, options);
  };
  attempts.push(outcome('tenderly', simulate));
  return Promise.all(attempts);
}

export interface Misdeeds {
  readonly workspaceId: string;
  readonly within: readonly string[];
  readonly after: readonly string[];
  readonly chains: readonly number[];
}

/** Runs each leaking activity with each kind of credential, within `withProvider` and after it. */
export async function misdeeds({ workspaceId, within, after, chains }: Misdeeds): Promise<string[]> {
  const { misbehave } = proxyActivities<typeof activities>({
    startToCloseTimeout: '4 seconds',
    heartbeatTimeout: '2 seconds',
    retry: { maximumAttempts: 1 },
  });
  const endpoints = await Promise.all(chains.map((chainId) => resolveRpcEndpoint({ workspaceId, chainId })));
  const refs = [
    await resolveLlmKey({ workspaceId, provider: 'anthropic' }),
    await resolveTenderlyConfig({ workspaceId }),
    ...endpoints.flatMap((ref) => ref.endpoints),
  ];
  const all = refs.flatMap((ref) => [
    ...within.map((how) => ({ ref, how, outside: false })),
    ...after.map((how) => ({ ref, how, outside: true })),
  ]);
  return Promise.all(all.map((deed) => outcome(`${deed.how} ${deed.ref.name}`, () => misbehave(deed))));
}

export const peek = defineQuery<string, [string]>('peek');
export const poke = defineSignal<[string]>('poke');
export const act = defineUpdate<unknown, [string]>('act');
export const leave = defineSignal('leave');

/** A workflow whose handlers fail, and whose update runs an activity that leaks. */
export async function listens({ workspaceId }: { readonly workspaceId: string }): Promise<string> {
  const ref = await resolveLlmKey({ workspaceId, provider: 'anthropic' });
  const { misbehave } = proxyActivities<typeof activities>({
    startToCloseTimeout: '4 seconds',
    retry: { maximumAttempts: 1 },
  });
  let leaving = false;
  const said: string[] = [];
  setHandler(peek, (how) => {
    if (how === 'fail') throw new Error(`nothing to see of ${JSON.stringify(ref)}`);
    return JSON.stringify({ ref, said });
  });
  setHandler(poke, async (how) => void said.push(await outcome(how, () => misbehave({ ref, how, outside: true }))));
  setHandler(act, (how) => misbehave({ ref, how, outside: true }), {
    validator: (how) => {
      if (how === 'refuse') throw new Error(`no update for ${JSON.stringify(ref)}`);
    },
  });
  setHandler(leave, () => {
    leaving = true;
  });
  await condition(() => leaving);
  return said.join('\n');
}

export async function holding({ workspaceId, on }: { readonly workspaceId: string; readonly on: string }) {
  const { holds } = proxyActivities<typeof activities>({
    startToCloseTimeout: '20 seconds',
    heartbeatTimeout: '2 seconds',
    retry: { initialInterval: '100 ms', maximumAttempts: 5 },
    taskQueue: on,
  });
  return holds({ ref: await resolveLlmKey({ workspaceId, provider: 'anthropic' }), how: '' });
}

/** A deliberate leak through its input. */
export async function control(_leaks: readonly string[]): Promise<void> {}

/** A deliberate leak through the failure of an activity, which is left pending. */
export async function controlPending(leak: string): Promise<void> {
  const { failWith } = proxyActivities<typeof activities>({
    startToCloseTimeout: '1 minute',
    retry: { initialInterval: '1 hour' },
  });
  await failWith(leak);
}

export interface ModelControl {
  readonly workspaceId: string;
  readonly model: string;
  readonly stepsOn: string;
}

/** A deliberate leak through the id of a model, in a call that fails. */
export async function controlModel({ workspaceId, model, stepsOn: taskQueue }: ModelControl): Promise<string> {
  const options: StepOptions = { startToCloseTimeout: '10 seconds', retry: { maximumAttempts: 1 }, taskQueue };
  return outcome('a model', async () => {
    const ref = await resolveLlmKey({ workspaceId, provider: 'anthropic' }, options);
    return llmStep({ ref, prompt: 'Why?', model }, options);
  });
}
