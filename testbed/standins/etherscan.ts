/**
 * A stand-in of Etherscan's API v2: the key is in the query, and errors come with the status 200, as `status: "0"` with
 * the message `NOTOK`. Its texts are those of https://docs.etherscan.io/resources/common-error-messages.
 */
import { readFileSync } from 'node:fs';
import { KeyRing } from '../../src/testing/services/calls.js';
import { type Reply, type Service, type StandIn, startStandIn } from '../../src/testing/services/stand-in.js';

/** The config of the example, without the base URL. */
export const ETHERSCAN = {
  auth: 'query:apikey',
  paths: ['/v2/api'],
  probe: '/v2/api?chainid=1&module=getapilimit&action=getapilimit',
  answers: JSON.parse(
    readFileSync(new URL('../../examples/etherscan/answers.json', import.meta.url), 'utf8'),
  ) as readonly object[],
} as const;

export interface EtherscanStandIn extends StandIn {
  /** The next call is answered with this body. */
  answerNext(body: object): void;
}

export async function startEtherscan({ keys }: { readonly keys: readonly string[] }): Promise<EtherscanStandIn> {
  const ring = new KeyRing();
  for (const key of keys) ring.admit('etherscan', key, 'ws_acme');
  const next: object[] = [];
  const service: Service = {
    provider: 'etherscan',
    prefix: '',
    keyOf: (_headers, _path, query) => query.get('apikey') ?? undefined,
    refusal: (key) => notOk(key === undefined ? 'Missing/Invalid API Key' : 'Invalid API Key (#err2)|'),
    error: (status) => ({ status, body: 'error' }),
    expectedOwner: () => undefined,
    answer({ query }) {
      const given = next.shift();
      if (given) return { status: 200, body: given };
      switch (query.get('action')) {
        case 'getapilimit':
          return ok({ creditsUsed: 207, creditsAvailable: 499793, creditLimit: 500000, limitInterval: 'daily' });
        case 'balance':
          return ok('40891626854930000000000');
        default:
          return notOk('Error! Missing Or invalid Action name');
      }
    },
  };
  return { ...(await startStandIn([service], ring)), answerNext: (body) => void next.push(body) };
}

function ok(result: unknown): Reply {
  return { status: 200, body: { status: '1', message: 'OK', result } };
}

function notOk(result: string): Reply {
  return { status: 200, body: { status: '0', message: 'NOTOK', result } };
}
