import { temporalProvider } from '@temporalio/ai-sdk/workflow';
import { proxyActivities } from '@temporalio/workflow';
import { generateText, stepCountIs, tool } from 'ai';
import { z } from 'zod';
import type * as activities from './activities';

const { weatherIn } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

const weather = tool({
  description: 'Returns the weather in a city.',
  inputSchema: z.object({ city: z.string() }),
  execute: ({ city }) => weatherIn(city),
});

export async function assistant(question: string): Promise<string> {
  const model = temporalProvider.languageModel('anthropic/claude-sonnet-5-5, openai/gpt-5-mini');
  const { text } = await generateText({ model, prompt: question, tools: { weather }, stopWhen: stepCountIs(5) });
  return text;
}
