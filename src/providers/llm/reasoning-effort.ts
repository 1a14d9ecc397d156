/**
 * How much a model thinks, in the words of each package of the AI SDK 6. Version 7 has the option itself, and knows more
 * models.
 */
import type { LlmProviderOptions, ReasoningEffort } from '../../protocol/llm-step.js';
import type { Json } from '../../protocol/steps.js';
import type { LlmProtocol } from './llm-config.js';

/** The tokens of thought of Gemini 2.5, which has no levels: of at most 24,576 for its smallest model. */
const GEMINI_BUDGET: Readonly<Record<ReasoningEffort, number>> = {
  none: 0,
  minimal: 512,
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  xhigh: 24_576,
  max: 24_576,
};

/** The options that say it. Empty if nothing is asked for. */
export function effortOptions(
  protocol: LlmProtocol,
  modelId: string,
  effort: ReasoningEffort | undefined,
): LlmProviderOptions {
  if (effort === undefined) return {};
  switch (protocol) {
    case 'anthropic':
      if (effort === 'none') return { anthropic: { thinking: { type: 'disabled' } } };
      return { anthropic: { effort: effort === 'minimal' ? 'low' : effort, thinking: { type: 'adaptive' } } };
    case 'gemini':
      return { google: { thinkingConfig: geminiThinking(modelId, effort) } };
    case 'responses':
      return { openai: { reasoningEffort: effort } };
    default:
      // The package of OpenAI reads the first, that of compatible services the second.
      return { openai: { reasoningEffort: effort }, openaiCompatible: { reasoningEffort: effort } };
  }
}

function geminiThinking(modelId: string, effort: ReasoningEffort): Record<string, Json> {
  if (/gemini-(1|2)\b/.test(modelId)) return { thinkingBudget: GEMINI_BUDGET[effort] };
  if (effort === 'none') return { thinkingLevel: 'minimal' };
  return { thinkingLevel: effort === 'xhigh' || effort === 'max' ? 'high' : effort };
}
