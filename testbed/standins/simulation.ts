/**
 * Simulates transactions as Tenderly does: executed by the real chain behind an RPC URL, which must offer
 * `debug_traceCall` and `eth_simulateV1` (anvil does).
 */
import {
  blockOverridesOf,
  callOf,
  hex,
  type SimulationRequest,
  stateOverridesOf,
} from '../../src/testing/services/simulation-request.js';
import {
  type CallFrame,
  type ExecutedIn,
  type RawLog,
  tenderlyResult,
} from '../../src/testing/services/simulation-result.js';

/**
 * The chain did not execute the transaction at all: no funds, too little gas, no such block. Has the chain's message.
 */
export class NotExecutable extends Error {}

export async function chainId(rpcUrl: string): Promise<number> {
  return Number(await rpc(rpcUrl, 'eth_chainId', []));
}

/** @throws NotExecutable */
export async function simulate(rpcUrl: string, request: SimulationRequest): Promise<object> {
  const block = await blockOf(rpcUrl, request);
  const trace = (await rpc(rpcUrl, 'debug_traceCall', [
    callOf(request),
    hex(block.number),
    {
      ...{ tracer: 'callTracer', tracerConfig: { withLog: true } },
      ...{ stateOverrides: stateOverridesOf(request), blockOverrides: blockOverridesOf(request) },
    },
  ])) as CallFrame;
  return tenderlyResult(request, trace, block);
}

interface SimulatedCall {
  readonly status: string;
  readonly gasUsed: string;
  readonly returnData: string;
  readonly logs: readonly RawLog[];
}

/**
 * Each transaction sees the changes of those before it; those behind the first that fails are left out. A node takes
 * overrides of a state per block only, so here each transaction has a block.
 *
 * @throws NotExecutable
 */
export async function simulateBundle(rpcUrl: string, requests: readonly SimulationRequest[]): Promise<object[]> {
  const [first] = requests as readonly [SimulationRequest, ...SimulationRequest[]];
  const block = await blockOf(rpcUrl, first);
  const blockStateCalls = requests.map((request) => ({
    ...{ stateOverrides: stateOverridesOf(request), blockOverrides: blockOverridesOf(request) },
    calls: [callOf(request)],
  }));
  const blocks = (await rpc(rpcUrl, 'eth_simulateV1', [{ blockStateCalls }, hex(block.number)])) as {
    calls: SimulatedCall[];
  }[];
  const calls = blocks.map(({ calls: [call] }) => call as SimulatedCall);
  const failed = calls.findIndex(({ status }) => status === '0x0');
  const executed = failed < 0 ? calls : calls.slice(0, failed + 1);
  return executed.map((call, index) => {
    const request = requests[index] as SimulationRequest;
    return tenderlyResult(request, frameOf(request, call), block);
  });
}

function frameOf(request: SimulationRequest, { status, gasUsed, returnData, logs }: SimulatedCall): CallFrame {
  return {
    ...{ type: request.to ? 'CALL' : 'CREATE', from: request.from, to: request.to, input: request.input },
    ...{ gas: hex(request.gas), gasUsed, value: hex(request.value), output: returnData, logs },
    ...(status === '0x0' && { error: 'execution reverted' }),
  };
}

async function blockOf(rpcUrl: string, request: SimulationRequest): Promise<ExecutedIn> {
  const number = request.block_number ?? Number(await rpc(rpcUrl, 'eth_blockNumber', []));
  const [block, nonce] = await Promise.all([
    rpc(rpcUrl, 'eth_getBlockByNumber', [hex(number), false]) as Promise<{ hash: string; timestamp: string } | null>,
    rpc(rpcUrl, 'eth_getTransactionCount', [request.from, hex(number)]),
  ]);
  return { hash: block?.hash, timestamp: block?.timestamp, number, nonce: Number(nonce) };
}

async function rpc(rpcUrl: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const response = await fetch(rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const { result, error } = (await response.json()) as { result?: unknown; error?: { message: string } };
  if (error) throw new NotExecutable(error.message);
  return result;
}
