/** The smallest agent: it asks a model of the workflow's workspace, and returns its answer. */
import { ApplicationFailure } from '@temporalio/workflow';
import { llmStep } from 'workspace-providers/workflow';

/** @param {{ provider: string, prompt: string }} input the name of an LLM provider, and the question */
export async function askModel(input) {
  if (!input?.provider || !input.prompt)
    throw ApplicationFailure.nonRetryable('askModel needs one argument: { provider, prompt }');
  const { text } = await llmStep({ provider: input.provider, prompt: input.prompt });
  return text;
}
