/** The options of a call to a model, as a step's input and a provider's config have them. */
import { z } from 'zod';
import type { LlmOptions, LlmProviderOptions, ReasoningEffort } from '../../protocol/llm-step.js';
import type { Json } from '../../protocol/steps.js';

const REASONING_EFFORTS = [
  'none',
  'minimal',
  'low',
  'medium',
  'high',
  'xhigh',
  'max',
] as const satisfies readonly ReasoningEffort[];
const MAX_STOP_SEQUENCES = 64;
const MAX_STOP_SEQUENCE_CHARACTERS = 1_000;
const MAX_OUTPUT_TOKENS = 10_000_000;

const STOP_RULE = `must be a list of at most ${MAX_STOP_SEQUENCES} texts of 1 to ${MAX_STOP_SEQUENCE_CHARACTERS} characters`;
const PROVIDER_OPTIONS_RULE = 'must be an object with an object of options for each name of a service';

const json = z.custom<Json>((value) => value !== undefined, { error: 'must be JSON' });

/** Options of the vendor's package: it checks them itself. */
export const providerOptions: z.ZodType<LlmProviderOptions> = z.record(
  z.string().min(1).max(64),
  z.record(z.string().max(100), json, { error: PROVIDER_OPTIONS_RULE }),
  { error: PROVIDER_OPTIONS_RULE },
);

/** The fields of {@link LlmOptions}, for a strict object. */
export const llmOptionFields = {
  maxOutputTokens: whole(1, MAX_OUTPUT_TOKENS).optional(),
  temperature: between(0, 2).optional(),
  topP: between(0, 1).optional(),
  topK: whole(0, 1_000_000).optional(),
  presencePenalty: between(-2, 2).optional(),
  frequencyPenalty: between(-2, 2).optional(),
  seed: whole(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER).optional(),
  stopSequences: z
    .array(z.string({ error: STOP_RULE }).min(1, { error: STOP_RULE }).max(MAX_STOP_SEQUENCE_CHARACTERS), {
      error: STOP_RULE,
    })
    .max(MAX_STOP_SEQUENCES, { error: STOP_RULE })
    .optional(),
  reasoningEffort: z.enum(REASONING_EFFORTS, { error: `must be one of ${REASONING_EFFORTS.join(', ')}` }).optional(),
  providerOptions: providerOptions.optional(),
} satisfies Record<keyof LlmOptions, z.ZodType>;

/** The caller's options, and for those that it does not give, the provider's. */
export function withDefaults(defaults: LlmOptions = {}, own: LlmOptions): LlmOptions {
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  return {
    ...defaults,
    ...given,
    providerOptions: mergedProviderOptions(defaults.providerOptions, own.providerOptions),
  };
}

/** Option by option. The last one that is given counts. */
export function mergedProviderOptions(...all: readonly (LlmProviderOptions | undefined)[]): LlmProviderOptions {
  const merged: Record<string, Record<string, Json>> = {};
  for (const options of all) {
    for (const [name, fields] of Object.entries(options ?? {})) merged[name] = { ...merged[name], ...fields };
  }
  return merged;
}

function whole(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

function between(min: number, max: number) {
  const error = `must be a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
}
