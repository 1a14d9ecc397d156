import { proxyActivities } from '@temporalio/workflow';
import { resolveProvider } from 'workspace-providers/workflow';
import type * as activities from './activities';

const { nearest, countVectors } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

export async function search(vector: number[]): Promise<{ ids: string[]; of: number }> {
  const pinecone = await resolveProvider({ type: 'pinecone', name: 'default' });
  return { ids: await nearest(pinecone, vector), of: await countVectors() };
}
