/** What the steps and the resolves accept. */
import { z } from 'zod';
import type { NamedProvider } from '../protocol/references.js';
import {
  type LlmStepInput,
  type ResolveLlmKeyInput,
  type ResolveRpcEndpointInput,
  type ResolveTenderlyConfigInput,
  RPC_READ_METHODS,
  type RpcStepInput,
  type TenderlyStepInput,
} from '../protocol/steps.js';
import { modelId } from '../providers/llm/llm.js';
import { simulationRequest } from '../providers/tenderly/simulation.js';
import { chainId, json, oneOf, providerName, providerType, referenceTo, whole, workspaceId } from './parse-input.js';

const MAX_MESSAGES = 2_000;
const MAX_PARAMS = 1_000;
const MAX_SCHEMA_CHARACTERS = 256 * 1024;
/** More providers or endpoints than a workspace needs. */
const MAX_NAMES = 200;

const string = z.string({ error: 'must be a text' });
const TEMPERATURE_RULE = 'must be a number from 0 to 2';
const CONTENT_RULE = 'must be a text: images, files and other parts are not accepted';
const ROLE_RULE = 'must be user or assistant: a system prompt belongs in `system`';
const SCHEMA_RULE = 'must be a JSON schema, an object of at most 262144 characters';
const PROVIDER_RULE =
  'must be a name (1 to 64 characters from a-z 0-9 _ . : -), or a list of 1 to 200 names in order of preference';
const PARAMS_RULE = `must be a list of at most ${MAX_PARAMS} values`;
const MESSAGES_RULE = `must be a list of at most ${MAX_MESSAGES} messages`;

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

export const llmStepInput: z.ZodType<LlmStepInput> = z.strictObject({
  ref: referenceTo('llm'),
  model: z
    .union([modelId, z.record(providerName, modelId)], { error: 'must be a model id, or one per provider' })
    .optional(),
  system: string.optional(),
  prompt: string.optional(),
  messages: z
    .array(
      z.strictObject({
        role: z.enum(['user', 'assistant'], { error: ROLE_RULE }),
        content: z.string({ error: CONTENT_RULE }),
      }),
      { error: MESSAGES_RULE },
    )
    .max(MAX_MESSAGES, { error: MESSAGES_RULE })
    .optional(),
  schema: z
    .record(z.string(), json, { error: SCHEMA_RULE })
    .refine((schema) => JSON.stringify(schema).length <= MAX_SCHEMA_CHARACTERS, { error: SCHEMA_RULE })
    .optional(),
  maxOutputTokens: whole(1, 10_000_000).optional(),
  temperature: z
    .number({ error: TEMPERATURE_RULE })
    .min(0, { error: TEMPERATURE_RULE })
    .max(2, { error: TEMPERATURE_RULE })
    .optional(),
});

export const tenderlyStepInput: z.ZodType<TenderlyStepInput> = z.strictObject({
  ref: referenceTo('tenderly'),
  ...simulationRequest.shape,
});

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
  method: z.enum(RPC_READ_METHODS, { error: 'must be one of RPC_READ_METHODS: rpcStep only reads' }),
  params: z.array(json, { error: PARAMS_RULE }).max(MAX_PARAMS, { error: PARAMS_RULE }).optional(),
  onRejected: oneOf(['fail', 'next']).optional(),
});
