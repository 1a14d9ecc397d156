import { failureTypeOf, llmStep, resolveLlmKey } from 'workspace-providers/workflow';

export async function answer(prompt: string): Promise<string> {
  try {
    const ref = await resolveLlmKey({ provider: 'openai' });
    return (await llmStep({ ref, prompt })).text;
  } catch (error) {
    return `failed: ${failureTypeOf(error)}`;
  }
}
