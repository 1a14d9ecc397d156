import { Agent, tool } from '@openai/agents-core';
import { TemporalOpenAIRunner } from '@temporalio/openai-agents/workflow';
import { proxyActivities } from '@temporalio/workflow';
import { z } from 'zod';
import type * as activities from './activities';

const { weatherIn } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

const weather = tool({
  name: 'weather',
  description: 'Returns the weather in a city.',
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => weatherIn(city),
});

export async function assistant(question: string): Promise<string> {
  const agent = new Agent({
    name: 'Assistant',
    instructions: 'Answer in a sentence.',
    model: 'openai/gpt-5-mini',
    tools: [weather],
  });
  return (await new TemporalOpenAIRunner().run(agent, question)).finalOutput ?? '';
}
