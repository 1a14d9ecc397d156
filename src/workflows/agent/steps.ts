/** What workflow code calls: three resolves and three steps. They are deterministic; activities do the work. */
import type { LlmStepInput, LlmStepResult } from '../../protocol/llm-step.js';
import type { NamedProvider, ProviderReference, RpcReference } from '../../protocol/references.js';
import type {
  TenderlyBundleInput,
  TenderlyBundleResult,
  TenderlyStepInput,
  TenderlyStepResult,
} from '../../protocol/simulations.js';
import type {
  Json,
  ResolveLlmKeyInput,
  ResolveRpcEndpointInput,
  ResolveTenderlyConfigInput,
  RpcStepInput,
  RpcStepResult,
} from '../../protocol/steps.js';
import { CHAIN_OPTIONS, LLM_OPTIONS, RESOLVE_OPTIONS, type StepOptions, scheduled } from './step-options.js';
import { atLeastUsed, endpointsAtLeastUsed, noteUse } from './version-floors.js';

/**
 * Returns a reference to a provider of the workspace. Of a list of names, it takes the first provider that is configured
 * and active. It waits out outages of Postgres.
 *
 * @throws ActivityFailure as {@link resolveLlmKey} does
 * @example
 * const tenderly = await resolveProvider({ type: 'tenderly', name: 'default' });
 */
export async function resolveProvider<Type extends string>(
  input: NamedProvider<Type>,
  options?: StepOptions,
): Promise<ProviderReference<Type>> {
  const wanted = `${input.type}/${[input.name].flat().join(' or ')}`;
  const resolve = scheduled('resolveProvider', RESOLVE_OPTIONS, `resolve ${wanted}${whose(input)}`, options);
  return (await resolve(input as NamedProvider<'llm'>)) as ProviderReference<Type>;
}

/**
 * Returns a reference to the workspace's LLM provider. Of a list of names, it takes the first provider that is
 * configured and active. It waits out outages of Postgres.
 *
 * @throws ActivityFailure whose cause has the `type` `GrantInvalid`, `ProviderNotConfigured`, `ProviderDisabled`,
 *   `CredentialUnreadable` or `ProviderConfigInvalid`
 * @example
 * const llm = await resolveLlmKey({ provider: ['anthropic', 'openai'] });
 */
export function resolveLlmKey(input: ResolveLlmKeyInput, options?: StepOptions): Promise<ProviderReference<'llm'>> {
  const wanted = [input.provider].flat().join(' or ');
  return scheduled('resolveLlmKey', RESOLVE_OPTIONS, `resolve ${wanted}${whose(input)}`, options)(input);
}

/** Returns a reference to the workspace's Tenderly account. Throws as {@link resolveLlmKey} does. */
export function resolveTenderlyConfig(
  input: ResolveTenderlyConfigInput = {},
  options?: StepOptions,
): Promise<ProviderReference<'tenderly'>> {
  const summary = `resolve tenderly${whose(input)}`;
  return scheduled('resolveTenderlyConfig', RESOLVE_OPTIONS, summary, options)(input);
}

/** Returns references to the workspace's endpoints of a chain, in their order. Throws as {@link resolveLlmKey} does. */
export function resolveRpcEndpoint(input: ResolveRpcEndpointInput, options?: StepOptions): Promise<RpcReference> {
  const summary = `resolve chain ${input.chainId}${whose(input)}`;
  return scheduled('resolveRpcEndpoint', RESOLVE_OPTIONS, summary, options)(input);
}

/**
 * Asks a language model once, with the workspace's own key. With a `schema`, the answer is in `object`; calls of `tools`
 * are in `toolCalls`, and the caller makes them. It waits out rate limits and outages for up to two hours. One call has
 * ten minutes; a call that ends by a time-out after the model began to work is repeated at most once, because each
 * is paid. Give `startToCloseTimeout` to a model that thinks longer: docs/llm-step.md.
 *
 * @typeParam Answer - the type of `object`. The answer is validated against `schema`; keep this type in step with it.
 * @throws ActivityFailure whose cause has the `type` `CredentialRejected`, `ProviderQuotaExhausted`,
 *   `ProviderRequestInvalid`, `AnswerUnusable`, `ResultTooLarge`, or one of those of {@link resolveLlmKey}
 * @example
 * const { text } = await llmStep({ ref: llm, model: 'claude-sonnet-5-5', prompt: 'Say hello.' });
 */
export async function llmStep<Answer = Json>(
  input: LlmStepInput,
  options?: StepOptions,
): Promise<LlmStepResult<Answer>> {
  const ref = atLeastUsed(input.ref);
  const fallbacks = input.fallbacks?.map(atLeastUsed);
  const step = scheduled('llmStep', LLM_OPTIONS, describe(ref), options);
  const result = await step({ ...input, ref, ...(fallbacks && { fallbacks }) });
  noteUse(ref, result?.provider);
  return result as LlmStepResult<Answer>;
}

/**
 * Simulates a transaction in the workspace's Tenderly project, or with `transactions` several of them, one after the
 * other in the same block. A transaction that fails is a result, with why it reverted. Throws as {@link llmStep} does.
 *
 * @example
 * const { success, revert, assetChanges } = await tenderlyStep({ ref, networkId: '1', transaction: { from, to, input } });
 */
export function tenderlyStep(input: TenderlyStepInput, options?: StepOptions): Promise<TenderlyStepResult>;
export function tenderlyStep(input: TenderlyBundleInput, options?: StepOptions): Promise<TenderlyBundleResult>;
export async function tenderlyStep(
  input: TenderlyStepInput | TenderlyBundleInput,
  options?: StepOptions,
): Promise<TenderlyStepResult | TenderlyBundleResult> {
  const ref = atLeastUsed(input.ref);
  const summary = `simulate on ${input.networkId} · ${describe(ref)}`;
  const simulate = scheduled('tenderlyStep', CHAIN_OPTIONS, summary, options);
  const result = await simulate({ ...input, ref } as TenderlyStepInput);
  noteUse(ref, result?.provider);
  return result;
}

/**
 * Reads a chain over the workspace's endpoints, in their order. Throws as {@link llmStep} does; if an execution reverted,
 * `revertOf(error)` returns why.
 *
 * @typeParam Answer - the type of the JSON that the method returns
 * @example
 * const { result } = await rpcStep<string>({ ref: mainnet, method: 'eth_getBalance', params: [address, 'latest'] });
 */
export async function rpcStep<Answer = Json>(
  input: RpcStepInput,
  options?: StepOptions,
): Promise<RpcStepResult<Answer>> {
  const ref = endpointsAtLeastUsed(input.ref);
  const summary = `${input.method} on chain ${ref.chainId} for ${ref.workspaceId}`;
  const result = await scheduled('rpcStep', CHAIN_OPTIONS, summary, options)({ ...input, ref });
  noteUse(ref, result?.provider);
  return result as RpcStepResult<Answer>;
}

function whose({ workspaceId }: { readonly workspaceId?: string }): string {
  return workspaceId === undefined ? '' : ` for ${workspaceId}`;
}

/** `anthropic for ws_acme`, for the Temporal UI. The version that the step used is in its result. */
function describe({ name, workspaceId, source }: ProviderReference): string {
  return `${name} for ${workspaceId}${source === 'platform' ? " · the platform's key" : ''}`;
}
