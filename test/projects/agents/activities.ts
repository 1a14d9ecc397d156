/** Activities that get what they depend on from a factory. */
import { type ProviderReference, withProvider } from 'workspace-providers';

export interface Directory {
  nameOf(workspace: string): Promise<string>;
}

export const createActivities = (directory: Directory) => ({
  async greet(workspace: string): Promise<string> {
    return `Good morning, ${await directory.nameOf(workspace)}`;
  },
  countModels(ref: ProviderReference<'llm'>): Promise<number> {
    return withProvider(ref, async ({ credential, fetch, signal }) => {
      const headers = { 'anthropic-version': '2023-06-01' };
      const answer = await fetch(`${credential.baseURL}/v1/models`, { headers, signal });
      return ((await answer.json()) as { data: unknown[] }).data.length;
    });
  },
});
