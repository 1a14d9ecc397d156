import { tool } from '@langchain/core/tools';
import { Context } from '@temporalio/activity';
import { createAgent } from 'langchain';
import { workspaceChatModel } from 'workspace-providers/langchain';
import { z } from 'zod';

const weather = tool(async ({ city }) => `It is sunny in ${city}.`, {
  name: 'weather',
  description: 'Returns the weather in a city.',
  schema: z.object({ city: z.string() }),
});

/** One agent for all workspaces: its model has no key, and opens the one of the running workflow at each call. */
const agent = createAgent({
  model: workspaceChatModel('anthropic/claude-sonnet-5-5, openai/gpt-5-mini'),
  tools: [weather],
});

export async function answer(question: string): Promise<string> {
  const { cancellationSignal: signal } = Context.current();
  const { messages } = await agent.invoke({ messages: [{ role: 'user', content: question }] }, { signal });
  return messages.at(-1)?.text ?? '';
}
