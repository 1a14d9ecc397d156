import { resolveLlmKey } from '../../src/workflow.js';

export async function workspaceOfKey(): Promise<string> {
  return (await resolveLlmKey({ provider: 'openai' })).workspaceId;
}
