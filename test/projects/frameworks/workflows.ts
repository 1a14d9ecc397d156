/** Agents of two frameworks. Each resolves its workspace's provider and hands the reference to the model. */
import { Agent } from '@openai/agents-core';
import { temporalProvider } from '@temporalio/ai-sdk/workflow';
import { TemporalOpenAIRunner } from '@temporalio/openai-agents/workflow';
import { generateText } from 'ai';
import { resolveLlmKey } from 'workspace-providers/workflow';

export async function aiSdkAgent(prompt: string): Promise<string> {
  const ref = await resolveLlmKey({ provider: 'openai' });
  const providerOptions = { workspace: { ref: JSON.stringify(ref) } };
  const model = temporalProvider.languageModel('gpt-5-mini');
  return (await generateText({ model, prompt, providerOptions })).text;
}

export async function openaiAgent(prompt: string): Promise<string> {
  const ref = await resolveLlmKey({ provider: 'openai' });
  const modelSettings = { providerData: { ref: JSON.stringify(ref) } };
  const agent = new Agent({ name: 'Agent', instructions: 'Answer in a sentence.', model: 'gpt-5-mini', modelSettings });
  return (await new TemporalOpenAIRunner().run(agent, prompt)).finalOutput ?? '';
}
