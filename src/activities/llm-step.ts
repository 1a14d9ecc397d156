/**
 * One call to a language model, with the workspace's own key. There are no retries here: Temporal retries, and its UI
 * shows each attempt. What was paid and would be paid again for the same outcome is final.
 */
import { ProviderError } from '../protocol/errors.js';
import type { LlmOptions, LlmStepInput, LlmStepResult } from '../protocol/llm-step.js';
import { describeProvider } from '../protocol/names.js';
import type { NamedProvider, ProviderReference } from '../protocol/references.js';
import type { Json } from '../protocol/steps.js';
import { aiSdkModel } from '../providers/llm/ai-sdk-model.js';
import type { LlmCredential } from '../providers/llm/llm.js';
import { protocolOf } from '../providers/llm/llm-config.js';
import { mergedProviderOptions, withDefaults } from '../providers/llm/llm-options.js';
import { askModel, type ModelReply } from '../providers/llm/model-call.js';
import { promptOf } from '../providers/llm/model-prompt.js';
import { effortOptions } from '../providers/llm/reasoning-effort.js';
import { isFormatRefused } from '../providers/llm/refused-format.js';
import { firstAnswer } from '../resolver/chain-endpoints.js';
import type { ProviderCall } from '../resolver/provider-call.js';
import type { ProviderResolver } from '../resolver/provider-resolver.js';
import { llmStepInput } from './llm-step-input.js';
import { StepTime } from './llm-step-time.js';
import { opened } from './opened-provider.js';
import { parseInput } from './parse-input.js';
import { runWithHeartbeat } from './run-activity.js';
import { compareWithSchema, type JsonSchema } from './schema-check.js';
import { isStrict, responseFormat, systemWithSchema, valuesIn, waysFrom } from './structured-answer.js';

export function createLlmStep(resolver: ProviderResolver) {
  return (given: LlmStepInput): Promise<LlmStepResult> =>
    runWithHeartbeat(async (signal, report) => {
      const input = parseInput('llmStep', llmStepInput, given);
      const time = new StepTime(signal, report);
      const { workspaceId } = input.ref ?? input;
      return resolver.inTurn({ workspaceId }, signal, (workspaceId) => llmStep(resolver, workspaceId, input, time));
    });
}

/** Failures that say nothing about the request. It is sent to the next provider, if the caller gave one. */
const GOES_TO_THE_NEXT: ReadonlySet<string> = new Set([
  ...['ProviderUnavailable', 'ProviderRateLimited', 'ProviderQuotaExhausted', 'CredentialRejected'],
  ...['ProviderDisabled', 'ProviderNotConfigured'],
]);

async function llmStep(
  resolver: ProviderResolver,
  workspaceId: string,
  input: LlmStepInput,
  time: StepTime,
): Promise<LlmStepResult> {
  const { schema, provider, ref, fallbacks = [], atLeast } = input;
  if (schema) await checkSchema(schema, workspaceId, time.signal);
  const named = (name: string | readonly string[]): NamedProvider<'llm'> => ({
    workspaceId,
    type: 'llm',
    name,
    atLeast,
  });
  const { result, skipped } = await firstAnswer(
    [ref ?? named(provider), ...fallbacks.map((each) => (typeof each === 'string' ? named(each) : each))],
    (asked) => opened(resolver, asked, (found, call) => answerOf(input, found, call, time), time.signal),
    ({ type }) => GOES_TO_THE_NEXT.has(type),
  );
  return { ...result, ...(skipped.length > 0 && { skipped }) };
}

async function answerOf(
  input: LlmStepInput,
  ref: ProviderReference<'llm'>,
  call: ProviderCall<LlmCredential>,
  time: StepTime,
): Promise<LlmStepResult> {
  const modelId = modelOf(input, ref, call.credential);
  const reply = await time.ofCall(ref, call.signal, (signal) => replyOf(input, modelId, { ...call, signal }, time));
  const object = input.schema && (await objectIn(reply, input.schema, ref, time.signal));
  if (!input.schema) checkComplete(reply, ref);
  const toolCalls = reply.parts.filter((part) => part.type === 'tool-call');
  return {
    text: reply.text,
    ...(input.schema && { object }),
    ...(toolCalls.length > 0 && { toolCalls }),
    message: { role: 'assistant', content: reply.parts },
    model: modelId,
    answeringModel: reply.answeringModel,
    requestId: reply.requestId,
    finishReason: reply.finishReason,
    usage: reply.usage,
    ...(reply.ignored.length > 0 && { ignored: reply.ignored }),
    provider: call.use,
  };
}

/** Asks once; and again, in another way, only if the service refused the way in which it was asked for JSON. */
async function replyOf(
  input: LlmStepInput,
  modelId: string,
  { credential, fetch, signal }: ProviderCall<LlmCredential>,
  time: StepTime,
): Promise<ModelReply> {
  const model = aiSdkModel(credential, modelId, fetch);
  const { schema, system, prompt } = input;
  const messages = [
    ...(input.messages ?? []),
    ...(prompt === undefined ? [] : [{ role: 'user', content: prompt } as const]),
  ];
  const options = callOptions(input, modelId, credential, model.specificationVersion === 'v3');
  const mode = { stream: input.stream ?? credential.stream ?? false, onProgress: time.onProgress };
  const ask = async (system: string | undefined, format?: object) =>
    askModel(
      model,
      { ...options, prompt: await promptOf(model, messages, system), responseFormat: format, abortSignal: signal },
      mode,
    );
  if (!schema) return ask(system);
  let refusal: unknown;
  for (const way of waysFrom(credential.structuredOutputs)) {
    try {
      return await ask(systemWithSchema(system, schema, way), responseFormat(schema, way));
    } catch (error) {
      if (!isFormatRefused(error)) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

function callOptions(input: LlmStepInput, modelId: string, credential: LlmCredential, isV3: boolean): object {
  const { reasoningEffort, ...options } = withDefaults(credential.defaultOptions, optionsOf(input));
  const effort = isV3 ? effortOptions(protocolOf(credential.provider, credential), modelId, reasoningEffort) : {};
  const strict = input.schema && { strictJsonSchema: isStrict(input.schema) };
  return {
    ...options,
    ...(!isV3 && reasoningEffort && { reasoning: reasoningEffort }),
    providerOptions: mergedProviderOptions(
      strict && { openai: strict, openaiCompatible: strict },
      effort,
      options.providerOptions,
    ),
    tools: input.tools?.map((tool) => ({ type: 'function', ...tool })),
    toolChoice: toolChoiceOf(input),
  };
}

function optionsOf(input: LlmStepInput): LlmOptions {
  const { maxOutputTokens, temperature, topP, topK, presencePenalty, frequencyPenalty, seed, stopSequences } = input;
  const { reasoningEffort, providerOptions } = input;
  const sampling = { maxOutputTokens, temperature, topP, topK, presencePenalty, frequencyPenalty, seed, stopSequences };
  return { ...sampling, reasoningEffort, providerOptions };
}

function toolChoiceOf({ tools, toolChoice = 'auto' }: LlmStepInput) {
  if (!tools) return undefined;
  return typeof toolChoice === 'string' ? { type: toolChoice } : { type: 'tool', toolName: toolChoice.toolName };
}

function modelOf({ model }: LlmStepInput, ref: ProviderReference<'llm'>, credential: LlmCredential): string {
  const asked = typeof model === 'object' ? model[ref.name] : model;
  const chosen = asked ?? credential.model;
  if (chosen) return chosen;
  throw new ProviderError(
    'ProviderConfigInvalid',
    `llmStep needs a model: set \`model\`, or configure a default model for ${describeProvider(ref)}`,
    { provider: ref, fields: ['model'] },
  );
}

/**
 * Returns the first value in the answer that fits the schema. The answer is validated here, because not every service
 * compares it with the schema.
 */
async function objectIn(
  reply: ModelReply,
  schema: JsonSchema,
  ref: ProviderReference<'llm'>,
  signal: AbortSignal,
): Promise<Json | undefined> {
  const isCall = reply.parts.some((part) => part.type === 'tool-call');
  if (isCall && reply.text === '') return undefined;
  if (reply.finishReason !== 'stop') checkComplete({ ...reply, text: '' }, ref);
  for (const candidate of valuesIn(reply.text)) {
    if ((await compareWithSchema(ref.workspaceId, schema, candidate, signal)) === 'fits')
      return candidate.value as Json;
  }
  const what = 'does not fit `schema`, or cannot be compared with it within a second';
  throw unusable(ref, `${what}: change the prompt, the schema or the model`);
}

/** A text that was cut is an answer, and its `finishReason` says so. Nothing at all is none. */
function checkComplete({ finishReason, text, parts }: ModelReply, ref: ProviderReference<'llm'>): void {
  if (finishReason === 'content-filter') {
    throw unusable(ref, 'is a refusal, or was withheld by a content filter: change the prompt or the model');
  }
  const isBrokenCall = parts.some((part) => part.type === 'tool-call' && typeof part.input === 'string');
  const isEmpty = text === '' && !parts.some(({ type }) => type === 'tool-call' || type === 'file');
  if (finishReason === 'length' && (isEmpty || isBrokenCall)) {
    throw unusable(ref, 'was cut at its largest length: raise `maxOutputTokens`, or ask for less');
  }
}

/** Not retryable: the model has answered, and asking again would cost money. */
function unusable(ref: ProviderReference<'llm'>, what: string): ProviderError {
  return new ProviderError('AnswerUnusable', `the answer of ${describeProvider(ref)} ${what}`, { provider: ref });
}

/** @throws ProviderError `ProviderConfigInvalid` before anything is sent */
async function checkSchema(schema: JsonSchema, workspaceId: string, signal: AbortSignal): Promise<void> {
  if ((await compareWithSchema(workspaceId, schema, undefined, signal)) === 'fits') return;
  const message = '`schema` must be a JSON schema that zod can read (z.fromJSONSchema) within a second';
  throw new ProviderError('ProviderConfigInvalid', message, { fields: ['schema'] });
}
