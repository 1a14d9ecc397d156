/**
 * One call to a language model, with the workspace's own key. The AI SDK's retries are off: Temporal retries, and its
 * UI shows each attempt.
 */
import type { ModelMessage } from 'ai';
import { ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderReference } from '../protocol/references.js';
import type { Json, LlmStepInput, LlmStepResult } from '../protocol/steps.js';
import { aiSdkModel } from '../providers/llm/ai-sdk-model.js';
import type { LlmCredential } from '../providers/llm/llm.js';
import { optionalPackage } from '../providers/optional-package.js';
import type { ProviderResolver } from '../resolver/provider-resolver.js';
import { activity } from './run-activity.js';
import { compareWithSchema, type JsonSchema } from './schema-check.js';
import { llmStepInput } from './step-inputs.js';

export function createLlmStep(resolver: ProviderResolver) {
  return activity(
    'llmStep',
    llmStepInput,
    (input, signal): Promise<LlmStepResult> =>
      resolver.inTurn(input.ref, signal, () => llmStep(resolver, input, signal)),
  );
}

async function llmStep(resolver: ProviderResolver, input: LlmStepInput, signal: AbortSignal): Promise<LlmStepResult> {
  if (input.schema) await checkSchema(input.schema, input.ref, signal);
  return resolver.withProvider(
    input.ref,
    async ({ credential, use, fetch }) => {
      const model = modelOf(input, credential);
      const output = outputOf(input, signal);
      const answer = await aiSdk()
        .generateText({
          model: aiSdkModel(credential, model, fetch),
          system: input.system,
          messages: messagesOf(input),
          output,
          maxOutputTokens: input.maxOutputTokens,
          temperature: input.temperature,
          maxRetries: 0,
          // Texts need no download. The SDK's own would not go through `fetch`.
          experimental_download: refuseDownloads,
          abortSignal: signal,
        })
        .catch((error: unknown) => {
          throw isUnusable(error) ? unusable(input.ref) : error;
        });
      const { inputTokens, outputTokens, totalTokens } = answer.usage;
      return {
        text: answer.text,
        object: input.schema ? (answer.output as Json) : undefined,
        model,
        finishReason: answer.finishReason,
        usage: { inputTokens, outputTokens, totalTokens },
        provider: use,
      };
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
  const what = `the answer of ${describeProvider(ref)} does not fit \`schema\`, or cannot be compared with it within a second`;
  return new ProviderError('AnswerUnusable', `${what}: change the prompt, the schema or the model`, { provider: ref });
}

/** The answer is also validated here, because not every service compares it with the schema. */
function outputOf({ ref, schema }: LlmStepInput, signal: AbortSignal) {
  const { jsonSchema, Output } = aiSdk();
  if (!schema) return Output.text();
  const validate = async (value: unknown) =>
    (await compareWithSchema(ref.workspaceId, schema, { value }, signal)) === 'fits'
      ? { success: true as const, value: value as Json }
      : { success: false as const, error: new Error('the answer does not fit the schema') };
  return Output.object({ schema: jsonSchema<Json>({ ...schema }, { validate }) });
}

/** @throws ProviderError `ProviderConfigInvalid` before anything is sent */
async function checkSchema(schema: JsonSchema, ref: ProviderReference, signal: AbortSignal): Promise<void> {
  if ((await compareWithSchema(ref.workspaceId, schema, undefined, signal)) === 'fits') return;
  const message = '`schema` must be a JSON schema that zod can read (z.fromJSONSchema) within a second';
  throw new ProviderError('ProviderConfigInvalid', message, { provider: ref, fields: ['schema'] });
}

async function refuseDownloads(asked: readonly unknown[]): Promise<never[]> {
  if (asked.length === 0) return [];
  throw new ProviderError('ProviderConfigInvalid', 'llmStep downloads nothing: messages must be texts');
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
