/** A real Ethereum node, with an RPC provider and Tenderly in front of it. */
import { startAnvil } from './anvil.js';
import { type RpcGateway, type RpcGatewayOptions, startRpcGateway } from './standins/rpc-gateway.js';
import { startTenderlyStandIn, type TenderlyStandIn, type TenderlyStandInOptions } from './standins/tenderly.js';
import type { Teardown } from './teardown.js';

export interface Chain {
  readonly chainId: number;
  readonly nodeUrl: string;
  readonly gateway: RpcGateway;
  readonly tenderly: TenderlyStandIn;
}

export async function startChain(
  teardown: Teardown,
  gatewayOptions: Omit<RpcGatewayOptions, 'nodeUrl'> = { keys: [] },
  accounts: TenderlyStandInOptions['accounts'] = [],
): Promise<Chain> {
  const { chainId, url: nodeUrl } = await teardown.use(startAnvil());
  const gateway = await teardown.use(startRpcGateway({ ...gatewayOptions, nodeUrl }));
  const tenderly = await teardown.use(startTenderlyStandIn({ accounts, rpcUrl: nodeUrl }));
  return { chainId, nodeUrl, gateway, tenderly };
}
