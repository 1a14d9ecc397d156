/**
 * One call to a language model, with the workspace's own key. The AI SDK's retries are off: Temporal retries, and its
 * UI shows each attempt.
 */
import type { ModelMessage } from 'ai';
import { z } from 'zod';
import { ProviderError } from '../protocol/errors.js';
import { checkReference, describeProvider } from '../protocol/names.js';
import type { ProviderReference } from '../protocol/references.js';
import type { Json, LlmStepInput, LlmStepResult } from '../protocol/steps.js';
import { aiSdkModel } from '../providers/llm/ai-sdk-model.js';
import type { LlmCredential } from '../providers/llm/llm.js';
import { optionalPackage } from '../providers/optional-package.js';
import type { ProviderResolver } from '../resolver/provider-resolver.js';
import { checkResultSize, runWithHeartbeat } from './run-activity.js';

export function createLlmStep(resolver: ProviderResolver) {
  return (input: LlmStepInput): Promise<LlmStepResult> =>
    runWithHeartbeat((signal) => llmStep(resolver, input, signal));
}

function llmStep(resolver: ProviderResolver, input: LlmStepInput, signal: AbortSignal): Promise<LlmStepResult> {
  return resolver.withProvider(
    checkReference(input.ref, 'llm'),
    async ({ credential, use, fetch }) => {
      const model = modelOf(input, credential);
      const output = outputOf(input);
      const answer = await aiSdk()
        .generateText({
          model: aiSdkModel(credential, model, fetch),
          system: input.system,
          messages: messagesOf(input),
          output,
          maxOutputTokens: input.maxOutputTokens,
          temperature: input.temperature,
          maxRetries: 0,
          abortSignal: signal,
        })
        .catch((error: unknown) => {
          throw isUnusable(error) ? unusable(input.ref) : error;
        });
      const { inputTokens, outputTokens, totalTokens } = answer.usage;
      const result = {
        text: answer.text,
        object: input.schema ? (answer.output as Json) : undefined,
        model,
        finishReason: answer.finishReason,
        usage: { inputTokens, outputTokens, totalTokens },
        provider: use,
      };
      return checkResultSize(result, input.ref);
    },
    signal,
  );
}

function isUnusable(error: unknown): boolean {
  const { NoObjectGeneratedError, NoOutputGeneratedError } = aiSdk();
  return NoObjectGeneratedError.isInstance(error) || NoOutputGeneratedError.isInstance(error);
}

/** Not retryable: the model has answered, and asking again would cost money. */
function unusable(ref: ProviderReference<'llm'>): ProviderError {
  const what = `the answer of ${describeProvider(ref)} does not fit \`schema\``;
  return new ProviderError('AnswerUnusable', `${what}: change the prompt, the schema or the model`, { provider: ref });
}

/** The answer is also validated here, because not every service compares it with the schema. */
function outputOf({ ref, schema }: LlmStepInput) {
  const { jsonSchema, Output } = aiSdk();
  if (!schema) return Output.text();
  const parser = parserOf(schema, ref);
  const validate = (value: unknown) => {
    const parsed = parser.safeParse(value);
    return parsed.success
      ? { success: true as const, value: value as Json }
      : { success: false as const, error: new Error('the answer does not fit the schema') };
  };
  return Output.object({ schema: jsonSchema<Json>({ ...schema }, { validate }) });
}

function parserOf(schema: NonNullable<LlmStepInput['schema']>, ref: ProviderReference) {
  try {
    return z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  } catch {
    const message = '`schema` must be a JSON schema that zod can read (z.fromJSONSchema)';
    throw new ProviderError('ProviderConfigInvalid', message, { provider: ref, fields: ['schema'] });
  }
}

function modelOf({ ref, model }: LlmStepInput, credential: LlmCredential): string {
  const asked = typeof model === 'object' ? model[ref.name] : model;
  const chosen = asked ?? credential.model;
  if (chosen) return chosen;
  throw new ProviderError(
    'ProviderConfigInvalid',
    `llmStep needs a model: set \`model\`, or configure a default model for ${describeProvider(ref)}`,
    { provider: ref, fields: ['model'] },
  );
}

function messagesOf({ ref, prompt, messages = [] }: LlmStepInput): ModelMessage[] {
  const all: ModelMessage[] = [...messages];
  if (prompt !== undefined) all.push({ role: 'user', content: prompt });
  if (all.length > 0) return all;
  throw new ProviderError('ProviderConfigInvalid', 'llmStep needs a prompt: set `prompt` or `messages`', {
    provider: ref,
    fields: ['prompt'],
  });
}

function aiSdk(): typeof import('ai') {
  return optionalPackage('ai', () => require('ai'));
}
