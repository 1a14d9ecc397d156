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
import {
  chainId,
  hasNoSecondWorkspace,
  isOneOf,
  json,
  MAX_NAMES,
  preference,
  providerName,
  providerType,
  referenceTo,
  SECOND_WORKSPACE,
  wanted,
  workspaceId,
} from './parse-input.js';

const MAX_PARAMS = 1_000;

const string = z.string({ error: 'must be a text' });
const PARAMS_RULE = `must be a list of at most ${MAX_PARAMS} values`;
const METHOD_RULE =
  'must be a JSON-RPC method that only reads: rpcStep sends nothing that writes, signs or manages a node';

export const resolveProviderInput: z.ZodType<NamedProvider> = z.strictObject({
  ...wanted,
  type: providerType,
  name: preference,
});

export const resolveLlmKeyInput: z.ZodType<ResolveLlmKeyInput> = z.strictObject({
  ...wanted,
  provider: preference,
});

export const resolveTenderlyConfigInput: z.ZodType<ResolveTenderlyConfigInput> = z.strictObject(wanted);

export const resolveRpcEndpointInput: z.ZodType<ResolveRpcEndpointInput> = z.strictObject({ ...wanted, chainId });

export const tenderlyStepInput = z
  .strictObject({ ...wanted, ref: referenceTo('tenderly').optional(), ...simulationFields })
  .refine(hasNoSecondWorkspace, SECOND_WORKSPACE)
  .refine(hasOneSubject, { path: ['transaction'], error: SUBJECT_RULE }) as unknown as z.ZodType<
  TenderlyStepInput | TenderlyBundleInput
>;

const chainReference = z.strictObject({
  workspaceId,
  type: z.literal('rpc', { error: 'must be rpc: ref must be the reference of a chain' }),
  chainId,
  endpoints: z.array(referenceTo('rpc'), { error: 'must be a list of references' }).max(MAX_NAMES),
  unusable: z
    .array(z.strictObject({ name: providerName, failure: string }))
    .max(MAX_NAMES)
    .optional(),
});

const rpcRead = z.strictObject({
  ...wanted,
  chainId: chainId.optional(),
  ref: chainReference.optional(),
  method: z.string({ error: METHOD_RULE }).refine(isRpcReadMethod, { error: METHOD_RULE }),
  params: z.array(json, { error: PARAMS_RULE }).max(MAX_PARAMS, { error: PARAMS_RULE }).optional(),
  onRejected: oneOf(['fail', 'next']).optional(),
});

export const rpcStepInput = rpcRead
  .refine(hasNoSecondWorkspace, SECOND_WORKSPACE)
  .refine((input) => isOneOf(input.chainId, input.ref), {
    error: 'must be given, or `ref`, and not both',
    path: ['chainId'],
  }) as unknown as z.ZodType<RpcStepInput>;
