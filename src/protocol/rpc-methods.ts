/**
 * Which JSON-RPC methods only read, by a rule: nodes add methods with each upgrade of a chain. A step may run twice, so
 * a method must change nothing, neither on the chain nor in the node, and must give the same answer to a second call.
 */

/** A verb that reads, at the start of the name behind the namespace: `getBalance`, `estimateGas`, `simulateV1`. */
const READING_VERB = /^(get|call|estimate|simulate|trace|list|is|has|supported)(?![a-z])/;

/** What a node or a chain has of a name without a verb. */
const READ_NOUNS: ReadonlySet<string> = new Set([
  ...['accounts', 'baseFee', 'blobBaseFee', 'blockNumber', 'chainId', 'coinbase', 'config', 'createAccessList'],
  ...['feeHistory', 'gasPrice', 'hashrate', 'maxPriorityFeePerGas', 'mining', 'pendingTransactions', 'protocolVersion'],
  ...['syncing', 'blockHash', 'blockProfile', 'outputAtBlock', 'rollupConfig', 'syncStatus', 'version'],
]);

/** Namespaces that have nothing but reads, in every client. */
const READ_NAMESPACES: ReadonlySet<string> = new Set(['erigon', 'net', 'ots', 'trace', 'txpool', 'web3']);

/** What a node offers for its debugger, beside `trace…` and `get…`, without writing a file or stopping anything. */
const DEBUG_READS: ReadonlySet<string> = new Set([
  ...['accountRange', 'dumpBlock', 'executionWitness', 'executionWitnessByBlockHash', 'intermediateRoots'],
  ...['preimage', 'printBlock', 'storageRangeAt', 'storageRange', 'accountAt', 'replayBlock'],
]);

/** Namespaces that manage a node, its keys or a test chain: nothing of them is sent, not even what reads. */
const MANAGING_NAMESPACES: ReadonlySet<string> = new Set([
  ...['admin', 'anvil', 'clique', 'engine', 'evm', 'ganache', 'hardhat', 'les', 'miner', 'mev', 'parity_set'],
  ...['personal', 'shh', 'signer', 'testing', 'wallet'],
]);

/**
 * Reads by their name that are none: a filter forgets what it has returned, work is for miners, and a node's files are
 * not a chain's.
 */
const NOT_REPEATABLE = /^getFilter(Changes|Logs)$|^getWork$|File$/;

const METHOD = /^([a-z][a-z0-9]{0,31})_([a-z][A-Za-z0-9]{0,63})$/;

/**
 * Whether `rpcStep` sends this method. It sends reads of `eth_`, `debug_`, `trace_`, `net_`, `web3_`, `txpool_` and of the
 * namespaces of chains and hosts (`arb_`, `zks_`, `bor_`, `alchemy_`, …). It refuses what sends, signs, mines or sets,
 * filters and subscriptions, and the namespaces that manage a node or a test chain (`personal_`, `admin_`, `miner_`,
 * `engine_`, `anvil_`, `hardhat_`, `evm_`, `wallet_`).
 */
export function isRpcReadMethod(method: string): boolean {
  const [, namespace = '', name = ''] = METHOD.exec(method) ?? [];
  if (namespace === '' || MANAGING_NAMESPACES.has(namespace) || NOT_REPEATABLE.test(name)) return false;
  if (READ_NAMESPACES.has(namespace) || READING_VERB.test(name)) return true;
  return namespace === 'debug' ? DEBUG_READS.has(name) : READ_NOUNS.has(name);
}
