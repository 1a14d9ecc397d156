/** An agent that is told its steps: by name or by reference, on this worker or that, in this run, the next or a child. */
import { continueAsNew, executeChild } from '@temporalio/workflow';
import {
  failureTypeOf,
  type LlmRequest,
  llmStep,
  type ProviderReference,
  type ProviderUse,
  resolveLlmKey,
  resolveRpcEndpoint,
  rpcStep,
  tenderlyStep,
} from '../../../src/workflow.js';

export interface Turn {
  readonly what:
    | 'ask by name'
    | 'resolve'
    | 'ask by reference'
    | 'read by chain'
    | 'resolve chain'
    | 'simulate'
    | 'go on as new'
    | 'go on in a child';
  /** The worker's. Default: that of the workflow. */
  readonly taskQueue?: string;
  readonly provider?: string | readonly string[];
  readonly workspaceId?: string;
  readonly chainId?: number;
  /** Fields of the step's input. */
  readonly more?: object;
}

export interface Told {
  readonly workspaceId: string;
  readonly turns: readonly Turn[];
  /** What the runs before have returned. */
  readonly said?: readonly string[];
}

const ANYBODY = `0x${'0'.repeat(40)}`;

/** Returns the name and the version of what each turn was answered with, or the type of its failure. */
export async function takeTurns({ workspaceId: own, turns, said = [] }: Told): Promise<readonly string[]> {
  const all = [...said];
  let ref: ProviderReference<'llm'> | undefined;
  for (const [index, turn] of turns.entries()) {
    const { what, taskQueue, workspaceId, provider = 'gemini', chainId = 0, more } = turn;
    const rest = { workspaceId: own, turns: turns.slice(index + 1), said: all };
    if (what === 'go on as new') return continueAsNew<typeof takeTurns>(rest);
    if (what === 'go on in a child') return executeChild(takeTurns, { args: [rest] });
    const options = { ...(taskQueue && { taskQueue }), retry: { maximumAttempts: 3, initialInterval: 20 } };
    const request: LlmRequest = { prompt: `What does ${own} want?`, ...more };
    const whose = { ...(workspaceId && { workspaceId }) };
    const answer = async (): Promise<Pick<ProviderUse, 'name' | 'version'>> => {
      switch (what) {
        case 'ask by name':
          return (await llmStep({ ...whose, provider, ...request }, options)).provider;
        case 'resolve':
          ref = await resolveLlmKey({ ...whose, provider }, options);
          return ref;
        case 'ask by reference':
          return (await llmStep({ ref: ref as ProviderReference<'llm'>, ...request }, options)).provider;
        case 'read by chain':
          return (await rpcStep({ ...whose, chainId, method: 'eth_chainId', ...more }, options)).provider;
        case 'resolve chain':
          return (await resolveRpcEndpoint({ ...whose, chainId }, options)).endpoints[0] as ProviderReference;
        case 'simulate': {
          const simulated = { networkId: String(chainId), transaction: { from: ANYBODY, to: ANYBODY } };
          return (await tenderlyStep({ ...whose, ...simulated }, options)).provider;
        }
      }
    };
    all.push(await answer().then(({ name, version }) => `${name} ${version}`, failureTypeOf));
  }
  return all;
}
