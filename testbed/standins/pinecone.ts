/**
 * A stand-in of Pinecone: the list of indexes of its control plane, and the queries of an index, on one address. Errors
 * have the form of https://docs.pinecone.io/reference/api/errors. The vectors of an index are those of the key's owner.
 */
import { KeyRing } from '../../src/testing/services/calls.js';
import { type Reply, type Service, type StandIn, startStandIn } from '../../src/testing/services/stand-in.js';
import { single } from '../../src/testing/services/wire-format.js';

export interface PineconeStandIn extends StandIn {
  admit(key: string, owner: string): void;
}

const CODES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
};

export async function startPinecone(): Promise<PineconeStandIn> {
  const ring = new KeyRing();
  const service: Service = {
    provider: 'pinecone',
    prefix: '',
    keyOf: (headers) => single(headers['api-key']),
    refusal: () => error(401, 'Invalid API Key'),
    error,
    expectedOwner: () => undefined,
    answer({ method, path }, owner) {
      switch (`${method} ${path}`) {
        case 'GET /indexes':
          return { status: 200, body: { indexes: [{ name: 'docs', dimension: 3, metric: 'cosine' }] } };
        case 'POST /query':
          return { status: 200, body: { matches: [{ id: `doc-of-${owner}`, score: 0.9, values: [] }], namespace: '' } };
        case 'POST /describe_index_stats':
          return { status: 200, body: { namespaces: {}, dimension: 3, indexFullness: 0, totalVectorCount: 7 } };
        default:
          return error(404, 'The resource does not exist.');
      }
    },
  };
  return { ...(await startStandIn([service], ring)), admit: (key, owner) => ring.admit('pinecone', key, owner) };
}

function error(status: number, message = 'The request was not served.'): Reply {
  return { status, body: { status, error: { code: CODES[status] ?? 'UNKNOWN', message } } };
}
