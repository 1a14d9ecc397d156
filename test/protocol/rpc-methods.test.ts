import { describe, expect, test } from 'vitest';
import { isRpcReadMethod } from '../../src/protocol/rpc-methods.js';

/** By namespace, as the pages of geth, Erigon, Nethermind, Besu, reth, anvil and of hosts list them. */
const READS: Readonly<Record<string, string>> = {
  eth:
    'accounts baseFee blobBaseFee blockNumber call callMany callBundle chainId coinbase config createAccessList ' +
    'estimateGas estimateUserOperationGas feeHistory gasPrice getAccount getBalance getBlockByHash getBlockByNumber ' +
    'getBlockReceipts getBlockTransactionCountByHash getCode getHeaderByNumber getLogs getProof getRawTransactionByHash ' +
    'getStorageAt getTransactionByHash getTransactionCount getTransactionReceipt getUncleCountByBlockHash hashrate ' +
    'maxPriorityFeePerGas mining pendingTransactions protocolVersion simulateV1 supportedEntryPoints syncing',
  debug:
    'accountRange dumpBlock executionWitness getBadBlocks getModifiedAccountsByNumber getRawBlock getRawReceipts ' +
    'getRawTransaction intermediateRoots preimage storageRangeAt traceBlockByHash traceBlockByNumber traceCall ' +
    'traceCallMany traceTransaction',
  trace: 'block call callMany filter get rawTransaction replayBlockTransactions replayTransaction transaction',
  net: 'listening peerCount version',
  web3: 'clientVersion sha3',
  txpool: 'content contentFrom inspect status',
  ots: 'getApiLevel hasCode searchTransactionsBefore',
  erigon: 'getBlockByTimestamp getHeaderByNumber blockNumber',
  arb: 'traceCall getBlockInfo',
  bor: 'getAuthor getSigners',
  zks: 'estimateFee getBridgeContracts getL1BatchDetails',
  linea: 'estimateGas getProof',
  optimism: 'outputAtBlock rollupConfig syncStatus version',
  alchemy: 'getAssetTransfers getTokenBalances simulateAssetChanges',
  tenderly: 'simulateTransaction simulateBundle estimateGas traceTransaction',
};

const REFUSED: Readonly<Record<string, string>> = {
  eth:
    'sendTransaction sendRawTransaction sendRawTransactionSync sendBundle sendUserOperation sendPrivateTransaction sign ' +
    'signTransaction signTypedData_v4 subscribe unsubscribe newFilter newBlockFilter newPendingTransactionFilter ' +
    'uninstallFilter getFilterChanges getFilterLogs getWork submitWork submitHashrate resend fillTransaction ' +
    'requestAccounts cancelBundle cancelPrivateTransaction call_ getbalance callback',
  debug:
    'setHead setGCPercent writeBlockProfile startCPUProfile stopGoTrace freeOSMemory gcStats chaindbCompact ' +
    'standardTraceBlockToFile traceBlockFromFile verbosity cpuProfile',
  personal: 'sign unlockAccount listAccounts newAccount',
  admin: 'addPeer peers nodeInfo startHTTP',
  miner: 'start stop setEtherbase',
  engine: 'newPayloadV4 forkchoiceUpdatedV3 getPayloadV4 getBlobsV1',
  anvil: 'setBalance impersonateAccount nodeInfo getAutomine',
  hardhat: 'setBalance mine getAutomine metadata',
  evm: 'mine snapshot revert increaseTime',
  wallet: 'addEthereumChain getCapabilities sendCalls',
  clique: 'propose discard getSigners',
  tenderly: 'setBalance addBalance setStorageAt',
  parity: 'setEngineSigner unsignedTransactionCount',
  arb: 'sendRawTransaction',
};

const namesOf = (lists: Readonly<Record<string, string>>) =>
  Object.entries(lists).flatMap(([namespace, names]) => names.split(' ').map((name) => `${namespace}_${name}`));

describe('a JSON-RPC method', () => {
  test.each(namesOf(READS))('that reads is sent: %s', (method) => {
    expect(isRpcReadMethod(method)).toBe(true);
  });

  test.each(namesOf(REFUSED))('that writes, signs, subscribes or manages a node is refused: %s', (method) => {
    expect(isRpcReadMethod(method)).toBe(false);
  });

  test.each([
    '',
    'eth',
    'eth_',
    '_getBalance',
    'ETH_getBalance',
    'eth_getBalance ',
    'eth_getBalance\n',
    'eth.getBalance',
  ])('of another form is refused: %j', (method) => {
    expect(isRpcReadMethod(method)).toBe(false);
  });
});
