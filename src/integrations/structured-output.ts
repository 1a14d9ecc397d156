/**
 * `withStructuredOutput` for a model whose service is known only at the call: the model must call a function whose
 * arguments are the answer, which every service knows.
 */
import type { BaseLanguageModelInput, StructuredOutputMethodOptions } from '@langchain/core/language_models/base';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import {
  assembleStructuredOutputPipeline,
  createFunctionCallingParser,
} from '@langchain/core/language_models/structured_output';
import type { AIMessageChunk } from '@langchain/core/messages';
import type { Runnable } from '@langchain/core/runnables';
import { toJsonSchema } from '@langchain/core/utils/json_schema';

type Schema = Parameters<typeof createFunctionCallingParser>[0];

/** What `bindTools` of the model does. */
type Bind = (
  tools: Record<string, unknown>[],
  options: { readonly tool_choice: string; readonly strict?: boolean },
) => Runnable<BaseLanguageModelInput, AIMessageChunk>;

/** @throws TypeError, when it is called, for a method other than `functionCalling` */
export function structuredOutput(bind: Bind): BaseChatModel['withStructuredOutput'] {
  const withStructuredOutput = (schema: Schema, options: StructuredOutputMethodOptions<boolean> = {}) => {
    const { name = 'extract', method = 'functionCalling', includeRaw, strict } = options;
    if (method !== 'functionCalling')
      throw new TypeError(
        `withStructuredOutput does not support the method ${method}: leave it out, or pass functionCalling`,
      );
    const parameters = toJsonSchema(schema);
    const description = parameters.description ?? 'Returns the answer.';
    const answer = { type: 'function', function: { name, description, parameters } };
    const asked = bind([answer], { tool_choice: name, ...(strict !== undefined && { strict }) });
    return assembleStructuredOutputPipeline(asked, createFunctionCallingParser(schema, name), includeRaw);
  };
  return withStructuredOutput as BaseChatModel['withStructuredOutput'];
}
