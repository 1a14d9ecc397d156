/**
 * One call to a language model, with the workspace's own key. The AI SDK's own retries are off: Temporal retries, and
 * shows that it does.
 */
import { generateText, jsonSchema, type ModelMessage, Output } from 'ai';
import { ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { Json, LlmStepInput, LlmStepResult } from '../protocol/steps.js';
import { languageModel } from '../providers/language-model.js';
import type { LlmCredential } from '../providers/llm.js';
import type { ProviderResolver } from '../resolver/provider-resolver.js';
import { atTheEdge } from './failures.js';
import { withHeartbeat } from './heartbeat.js';

// The SDK's warnings go to the console of the worker, past its logger; what matters of them comes back as a failure.
globalThis.AI_SDK_LOG_WARNINGS = false;

export function createLlmStep(resolver: ProviderResolver) {
  return (input: LlmStepInput): Promise<LlmStepResult> =>
    atTheEdge(() => withHeartbeat((signal) => llmStep(resolver, input, signal)));
}

function llmStep(resolver: ProviderResolver, input: LlmStepInput, signal: AbortSignal): Promise<LlmStepResult> {
  const ref = { ...input.ref, type: 'llm' as const };
  return resolver.withProvider(
    ref,
    async ({ credential, use, fetch }) => {
      const model = modelOf(input, credential);
      const answer = await generateText({
        model: languageModel(credential, model, fetch),
        system: input.system,
        messages: messagesOf(input),
        output: input.schema ? Output.object({ schema: jsonSchema<Json>({ ...input.schema }) }) : Output.text(),
        maxOutputTokens: input.maxOutputTokens,
        temperature: input.temperature,
        maxRetries: 0,
        abortSignal: signal,
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

function modelOf({ ref, model }: LlmStepInput, credential: LlmCredential): string {
  const asked = typeof model === 'object' ? model[ref.name] : model;
  const chosen = asked ?? credential.model;
  if (chosen) return chosen;
  throw new ProviderError(
    'ProviderConfigInvalid',
    `llmStep needs a model: give \`model\`, or configure a default model for ${describeProvider(ref)}`,
    { provider: ref, fields: ['model'] },
  );
}

function messagesOf({ ref, prompt, messages = [] }: LlmStepInput): ModelMessage[] {
  const all: ModelMessage[] = [...messages];
  if (prompt !== undefined) all.push({ role: 'user', content: prompt });
  if (all.length > 0) return all;
  throw new ProviderError('ProviderConfigInvalid', 'llmStep needs a `prompt` or `messages`', {
    provider: ref,
    fields: ['prompt'],
  });
}
