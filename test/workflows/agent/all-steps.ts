/** Calls each step that `src/workflow.ts` exports once. */
import {
  llmStep,
  type ProviderReference,
  resolveLlmKey,
  resolveRpcEndpoint,
  resolveTenderlyConfig,
  rpcStep,
  type StepOptions,
  tenderlyStep,
} from '../../../src/workflow.js';

export async function allSteps(options?: StepOptions): Promise<void> {
  const workspaceId = 'ws_acme';
  const of = <Type extends string>(
    type: Type,
    name: string,
    source: ProviderReference['source'],
  ): ProviderReference<Type> => {
    return { workspaceId, type, name, version: source === 'platform' ? 0 : 4, source, cache: 'hit', shown: {} };
  };
  const main = of('rpc', 'main', 'workspace');
  const transaction = { from: `0x${'0'.repeat(40)}`, to: `0x${'0'.repeat(40)}` };
  await resolveLlmKey({ workspaceId, provider: ['anthropic', 'openai'] }, options);
  await resolveTenderlyConfig({ workspaceId }, options);
  await resolveRpcEndpoint({ workspaceId, chainId: 1 }, options);
  await llmStep({ ref: of('llm', 'anthropic', 'workspace'), prompt: 'hi' }, options);
  await tenderlyStep({ ref: of('tenderly', 'default', 'platform'), networkId: '1', transaction }, options);
  await rpcStep(
    { ref: { workspaceId, type: 'rpc', chainId: 1, endpoints: [main] }, method: 'eth_blockNumber' },
    options,
  );
}
