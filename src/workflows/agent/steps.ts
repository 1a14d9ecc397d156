/** What workflow code calls: the resolves and the steps. They are deterministic; activities do the work. */
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
import { atLeastSeen, endpointsAtLeastSeen, noteReference, noteUse, withFloors } from './version-floors.js';

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
  const summary = `resolve ${input.type}/${either(input.name)}${whose(input)}`;
  const resolve = scheduled('resolveProvider', RESOLVE_OPTIONS, summary, options);
  const reference = await resolve(withFloors(input, input, [input.name].flat()));
  noteReference(reference);
  return reference as ProviderReference<Type>;
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
export async function resolveLlmKey(
  input: ResolveLlmKeyInput,
  options?: StepOptions,
): Promise<ProviderReference<'llm'>> {
  const { provider, workspaceId } = input;
  const summary = `resolve ${either(provider)}${whose(input)}`;
  const resolve = scheduled('resolveLlmKey', RESOLVE_OPTIONS, summary, options);
  const reference = await resolve(withFloors(input, { workspaceId, type: 'llm' }, [provider].flat()));
  noteReference(reference);
  return reference;
}

/** Returns a reference to the workspace's Tenderly account. Throws as {@link resolveLlmKey} does. */
export async function resolveTenderlyConfig(
  input: ResolveTenderlyConfigInput = {},
  options?: StepOptions,
): Promise<ProviderReference<'tenderly'>> {
  const { workspaceId } = input;
  const resolve = scheduled('resolveTenderlyConfig', RESOLVE_OPTIONS, `resolve tenderly${whose(input)}`, options);
  const reference = await resolve(withFloors(input, { workspaceId, type: 'tenderly' }));
  noteReference(reference);
  return reference;
}

/** Returns references to the workspace's endpoints of a chain, in their order. Throws as {@link resolveLlmKey} does. */
export async function resolveRpcEndpoint(input: ResolveRpcEndpointInput, options?: StepOptions): Promise<RpcReference> {
  const { chainId, workspaceId } = input;
  const resolve = scheduled('resolveRpcEndpoint', RESOLVE_OPTIONS, `resolve chain ${chainId}${whose(input)}`, options);
  const reference = await resolve(withFloors(input, { workspaceId, type: 'rpc' }));
  reference?.endpoints?.forEach(noteReference);
  return reference;
}

/**
 * Asks a language model once, with the workspace's own key: of the provider that `provider` names, or of a reference. With
 * a list of names, it asks the first provider that is configured and active. With a `schema`, the answer is in `object`;
 * calls of `tools` are in `toolCalls`, and the caller makes them. It waits out rate limits and outages for up to two
 * hours. One call has ten minutes; a call that ends by a time-out after the model began to work is repeated at most once,
 * because each is paid. Give `startToCloseTimeout` to a model that thinks longer: docs/llm-step.md.
 *
 * @typeParam Answer - the type of `object`. The answer is validated against `schema`; keep this type in step with it.
 * @throws ActivityFailure whose cause has the `type` `CredentialRejected`, `ProviderQuotaExhausted`,
 *   `ProviderRequestInvalid`, `AnswerUnusable`, `ResultTooLarge`, or one of those of {@link resolveLlmKey}
 * @example
 * const { text } = await llmStep({ provider: ['anthropic', 'openai'], prompt: 'Say hello.' });
 */
export async function llmStep<Answer = Json>(
  input: LlmStepInput,
  options?: StepOptions,
): Promise<LlmStepResult<Answer>> {
  const { provider = [], ref, fallbacks } = input;
  const whoseProvider = { workspaceId: ref?.workspaceId ?? input.workspaceId, type: 'llm' };
  const names = [provider, ...(fallbacks ?? [])].flat().filter((each) => typeof each === 'string');
  const raised = {
    ...withFloors(input, whoseProvider, names),
    ...(ref && { ref: atLeastSeen(ref) }),
    ...(fallbacks && { fallbacks: fallbacks.map((each) => (typeof each === 'string' ? each : atLeastSeen(each))) }),
  } as LlmStepInput;
  const summary = raised.ref ? describe(raised.ref) : `${either(provider)}${whose(input)}`;
  const result = await scheduled('llmStep', LLM_OPTIONS, summary, options)(raised);
  noteUse(whoseProvider, result?.provider);
  return result as LlmStepResult<Answer>;
}

/**
 * Simulates a transaction in the workspace's Tenderly project, or with `transactions` several of them, one after the
 * other in the same block. A transaction that fails is a result, with why it reverted. Throws as {@link llmStep} does.
 *
 * @example
 * const { success, revert, assetChanges } = await tenderlyStep({ networkId: '1', transaction: { from, to, input } });
 */
export function tenderlyStep(input: TenderlyStepInput, options?: StepOptions): Promise<TenderlyStepResult>;
export function tenderlyStep(input: TenderlyBundleInput, options?: StepOptions): Promise<TenderlyBundleResult>;
export async function tenderlyStep(
  input: TenderlyStepInput | TenderlyBundleInput,
  options?: StepOptions,
): Promise<TenderlyStepResult | TenderlyBundleResult> {
  const whoseAccount = { workspaceId: input.ref?.workspaceId ?? input.workspaceId, type: 'tenderly' };
  const ref = input.ref && atLeastSeen(input.ref);
  const raised = ref ? { ...input, ref } : withFloors(input, whoseAccount);
  const summary = `simulate on ${input.networkId} · ${ref ? describe(ref) : `default${whose(input)}`}`;
  const result = await scheduled('tenderlyStep', CHAIN_OPTIONS, summary, options)(raised as TenderlyStepInput);
  noteUse(whoseAccount, result?.provider);
  return result;
}

/**
 * Reads a chain over the workspace's endpoints, in their order. The chain is given by `chainId`, or by a reference. Throws
 * as {@link llmStep} does; if an execution reverted, `revertOf(error)` returns why.
 *
 * @typeParam Answer - the type of the JSON that the method returns
 * @example
 * const { result } = await rpcStep<string>({ chainId: 1, method: 'eth_getBalance', params: [address, 'latest'] });
 */
export async function rpcStep<Answer = Json>(
  input: RpcStepInput,
  options?: StepOptions,
): Promise<RpcStepResult<Answer>> {
  const { chainId, workspaceId } = input.ref ?? input;
  const raised = input.ref
    ? { ...input, ref: endpointsAtLeastSeen(input.ref) }
    : withFloors(input, { workspaceId, type: 'rpc' });
  const summary = `${input.method} on chain ${chainId}${whose({ workspaceId })}`;
  const result = await scheduled('rpcStep', CHAIN_OPTIONS, summary, options)(raised);
  noteUse({ workspaceId, type: 'rpc' }, result?.provider);
  return result as RpcStepResult<Answer>;
}

/** The number of names in a summary. Temporal refuses a summary of more than 400 bytes. */
const MAX_NAMES = 3;

/** `anthropic or openai` */
function either(names: string | readonly string[]): string {
  const all = [names].flat();
  const more = all.length - MAX_NAMES;
  return [...all.slice(0, MAX_NAMES), ...(more > 0 ? [`${more} more`] : [])].join(' or ');
}

function whose({ workspaceId }: { readonly workspaceId?: string }): string {
  return workspaceId === undefined ? '' : ` for ${workspaceId}`;
}

/** `anthropic for ws_acme`, for the Temporal UI. The version that the step used is in its result. */
function describe({ name, workspaceId, source }: ProviderReference): string {
  return `${name} for ${workspaceId}${source === 'platform' ? " · the platform's key" : ''}`;
}
