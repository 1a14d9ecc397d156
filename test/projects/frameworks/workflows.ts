/** Agents of two frameworks, as their authors write them: nothing in them speaks of keys. */
import { Agent } from '@openai/agents-core';
import { temporalProvider } from '@temporalio/ai-sdk/workflow';
import { TemporalOpenAIRunner } from '@temporalio/openai-agents/workflow';
import { proxyActivities } from '@temporalio/workflow';
import { embed, generateText } from 'ai';
import type * as activities from './activities';

const { askInActivity, streamInActivity } = proxyActivities<typeof activities>({
  startToCloseTimeout: '1 minute',
  retry: { maximumAttempts: 3 },
});

const MODEL = 'anthropic/claude-sonnet-5-5, openai/gpt-5-mini';

export async function aiSdkAgent(prompt: string): Promise<string> {
  return (await generateText({ model: temporalProvider.languageModel(MODEL), prompt })).text;
}

export async function aiSdkEmbedding(value: string): Promise<number> {
  return (await embed({ model: temporalProvider.embeddingModel('openai/text-embedding-3-small'), value })).embedding
    .length;
}

export async function openaiAgent(prompt: string): Promise<string> {
  const agent = new Agent({ name: 'Agent', instructions: 'Answer in a sentence.', model: 'gpt-5-mini' });
  return (await new TemporalOpenAIRunner().run(agent, prompt)).finalOutput ?? '';
}

export const activityAgent = (prompt: string): Promise<string> => askInActivity(prompt);
export const streamingAgent = (prompt: string): Promise<string> => streamInActivity(prompt);
