/**
 * Pinecone as a provider type of one's own. The CLI and the packaged worker take it from this module:
 *
 *     export PROVIDER_TYPES=./built/provider-types.js
 *     workspace-providers configure ws_acme pinecone default --set host=https://docs-1a2b3c.svc.aped-1234.pinecone.io < key
 */
import { defineProviderType, secretKey, serviceURL } from 'workspace-providers';

export const pinecone = defineProviderType({
  type: 'pinecone',
  config: {
    /** The host of the index, as the console and `describe_index` show it. */
    host: serviceURL(),
    /** The control plane, which the check asks. */
    baseURL: serviceURL().optional(),
  },
  secret: { apiKey: secretKey },
  // A change of the host needs the key again, so nobody who may not see the key can send it elsewhere.
  destination: ({ config }) => [config.baseURL ?? 'https://api.pinecone.io', `host=${config.host}`],
  hosts: ({ config }) => [new URL(config.host).host],
  sentIn: ({ secret }) => ({ headers: { 'Api-Key': secret.apiKey } }),
  // What an activity gets: no key, because `fetch` puts it in.
  credential: ({ config }) => ({ host: config.host }),
  // Errors of Pinecone's client have no status: `fetch` itself reports what the service answered.
  failsOnRefusal: true,
  // https://docs.pinecone.io/reference/api/errors
  answers: [
    { means: 'out of credit', status: [403, 429], words: /limit for the current month|quota/i },
    { means: 'final', status: [400, 404, 409, 412, 422] },
  ],
  probe: () => ({
    path: '/indexes',
    accepts: (body) =>
      Array.isArray((body as { indexes?: unknown } | undefined)?.indexes)
        ? 'the service listed the indexes'
        : undefined,
  }),
  fromEnvironment: (_name, { PINECONE_API_KEY: apiKey, PINECONE_HOST: host }) =>
    apiKey && host ? { config: { host, baseURL: undefined }, secret: { apiKey } } : undefined,
  revokeByHand: 'delete the key at app.pinecone.io, in the project of the index, API keys',
});

/** Knows the types of this file too. */
export type OwnTypes = [typeof pinecone];
