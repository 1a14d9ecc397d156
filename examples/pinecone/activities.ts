import { Pinecone } from '@pinecone-database/pinecone';
import { withProvider as anyProvider, type ProviderReference } from 'workspace-providers';
import type { OwnTypes } from './provider-types';

const withProvider = anyProvider.withTypes<OwnTypes>();

/** The ids of the documents that are nearest to a vector, in the index of the workspace. */
export async function nearest(ref: ProviderReference<'pinecone'>, vector: number[]): Promise<string[]> {
  return withProvider(ref, async ({ credential, fetch }) => {
    // The client needs a key to be made. The right one is put in by `fetch`, when a request is sent.
    const client = new Pinecone({ apiKey: 'put-in-by-fetch', fetchApi: fetch, maxRetries: 0 });
    const { matches } = await client.index({ host: credential.host }).query({ vector, topK: 3 });
    return matches.map(({ id }) => id);
  });
}

/** The same by name, for the workspace that the workflow works for. */
export async function countVectors(): Promise<number> {
  return withProvider({ type: 'pinecone', name: 'default' }, async ({ credential, fetch }) => {
    const client = new Pinecone({ apiKey: 'put-in-by-fetch', fetchApi: fetch, maxRetries: 0 });
    const { totalRecordCount = 0 } = await client.index({ host: credential.host }).describeIndexStats();
    return totalRecordCount;
  });
}
