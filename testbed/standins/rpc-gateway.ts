/**
 * A stand-in of a provider of Ethereum endpoints: it checks the key and passes the request on to a real node.
 */

import { parseJson } from '../../src/redaction/parse-json.js';
import { KeyRing } from '../../src/testing/services/calls.js';
import { rpcService } from '../../src/testing/services/rpc.js';
import { type Reply, type ServiceRequest, type StandIn, startStandIn } from '../../src/testing/services/stand-in.js';

export interface RpcKey {
  readonly key: string;
  /** The workspace whose key it is. */
  readonly owner: string;
}

export interface RpcGatewayOptions {
  readonly keys: readonly RpcKey[];
  /** The node that answers. */
  readonly nodeUrl: string;
  /** Derives the workspace that a request is for from its body. Default: the workspace is unknown. */
  readonly ownerOfRequest?: (body: string) => string | undefined;
  /** Default: 0, which is a free port. */
  readonly port?: number;
}

/** The running gateway. An endpoint's URL is `${url}/v2/${key}`. */
export interface RpcGateway extends StandIn {
  admit(key: RpcKey): void;
}

export async function startRpcGateway({ keys, nodeUrl, ownerOfRequest, port }: RpcGatewayOptions): Promise<RpcGateway> {
  const ring = new KeyRing();
  const admit = ({ key, owner }: RpcKey): void => ring.admit('rpc', key, owner);
  keys.forEach(admit);

  const service = rpcService({
    expectedOwner: ({ body }) => ownerOfRequest?.(body),
    answer: (request) => passOn(nodeUrl, request),
  });
  return { ...(await startStandIn([service], ring, port)), admit };
}

async function passOn(nodeUrl: string, { body }: ServiceRequest): Promise<Reply> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(nodeUrl, { method: 'POST', headers, body });
  const answer = await response.text();
  return { status: response.status, body: parseJson(answer) ?? answer };
}
