/** A provider of Ethereum endpoints that takes its key in the path, as Alchemy and Infura do. A refusal is Alchemy's. */
import type { Reply, Service } from './stand-in.js';

/** The part that differs: a node answers, or a test does. */
export type RpcServiceOptions = Pick<Service, 'answer' | 'expectedOwner'>;

const PATH = /^\/v2\/([^/]+)$/;

const ERRORS: Readonly<Record<number, readonly [code: number, message: string]>> = {
  401: [-32600, 'Must be authenticated!'],
  429: [429, 'Your app has exceeded its compute units per second capacity.'],
};

/** An endpoint's URL is `${url}/v2/${key}`. */
export function rpcService(options: RpcServiceOptions): Service {
  return {
    ...{ provider: 'rpc', prefix: '' },
    keyOf: (_, path) => PATH.exec(path)?.[1],
    refusal: () => error(401),
    error,
    ...options,
  };
}

function error(status: number, message?: string): Reply {
  const [code, text] = ERRORS[status] ?? [-32603, 'Internal error'];
  return { status, body: { jsonrpc: '2.0', id: null, error: { code, message: message ?? text } } };
}
