/** What the steps and the resolves accept. */
import { z } from 'zod';
import type { NamedProvider } from '../protocol/references.js';
import { isRpcReadMethod } from '../protocol/rpc-methods.js';
import type { TenderlyBundleInput, TenderlyStepInput } from '../protocol/simulations.js';
import type {
  ResolveLlmKeyInput,
  ResolveRpcEndpointInput,
  ResolveTenderlyConfigInput,
  RpcStepInput,
} from '../protocol/steps.js';
import { oneOf } from '../providers/fields.js';
import { hasOneSubject, SUBJECT_RULE, simulationFields } from '../providers/tenderly/simulation-request.js';
import { chainId, json, providerName, providerType, referenceTo, workspaceId } from './parse-input.js';

const MAX_PARAMS = 1_000;
/** More providers or endpoints than a workspace needs. */
const MAX_NAMES = 200;

const string = z.string({ error: 'must be a text' });
const PROVIDER_RULE =
  'must be a name (1 to 64 characters from a-z 0-9 _ . : -), or a list of 1 to 200 names in order of preference';
const PARAMS_RULE = `must be a list of at most ${MAX_PARAMS} values`;
const METHOD_RULE =
  'must be a JSON-RPC method that only reads: rpcStep sends nothing that writes, signs or manages a node';

export const resolveProviderInput: z.ZodType<NamedProvider> = z.strictObject({
  workspaceId: workspaceId.optional(),
  type: providerType,
  name: z.union([providerName, z.array(providerName).min(1).max(MAX_NAMES)], { error: PROVIDER_RULE }),
});

export const resolveLlmKeyInput: z.ZodType<ResolveLlmKeyInput> = z.strictObject({
  workspaceId: workspaceId.optional(),
  provider: z.union([providerName, z.array(providerName).min(1).max(MAX_NAMES)], { error: PROVIDER_RULE }),
});

export const resolveTenderlyConfigInput: z.ZodType<ResolveTenderlyConfigInput> = z.strictObject({
  workspaceId: workspaceId.optional(),
});

export const resolveRpcEndpointInput: z.ZodType<ResolveRpcEndpointInput> = z.strictObject({
  workspaceId: workspaceId.optional(),
  chainId,
});

export const tenderlyStepInput = z
  .strictObject({ ref: referenceTo('tenderly'), ...simulationFields })
  .refine(hasOneSubject, { path: ['transaction'], error: SUBJECT_RULE }) as unknown as z.ZodType<
  TenderlyStepInput | TenderlyBundleInput
>;

export const rpcStepInput: z.ZodType<RpcStepInput> = z.strictObject({
  ref: z.strictObject({
    workspaceId,
    type: z.literal('rpc', { error: 'must be rpc: ref must be the reference of a chain' }),
    chainId,
    endpoints: z.array(referenceTo('rpc'), { error: 'must be a list of references' }).max(MAX_NAMES),
    unusable: z
      .array(z.strictObject({ name: providerName, failure: string }))
      .max(MAX_NAMES)
      .optional(),
  }),
  method: z.string({ error: METHOD_RULE }).refine(isRpcReadMethod, { error: METHOD_RULE }),
  params: z.array(json, { error: PARAMS_RULE }).max(MAX_PARAMS, { error: PARAMS_RULE }).optional(),
  onRejected: oneOf(['fail', 'next']).optional(),
});
