/**
 * Simulates a transaction as Tenderly does: executed by the real chain behind an RPC URL, which must offer
 * `debug_traceCall` (anvil does). Fields that only Tenderly can know (decoded names, prices, hashes) are left out.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';

const quantity = z.union([z.int().nonnegative(), z.string().regex(/^(\d+|0x[0-9a-f]+)$/i)]);
const address = z.string().regex(/^0x[0-9a-f]{40}$/i);

export const simulationRequest = z.looseObject({
  network_id: z.string(),
  from: address,
  to: address,
  input: z
    .string()
    .regex(/^0x([0-9a-f]{2})*$/i)
    .default('0x'),
  gas: quantity.default(8_000_000),
  gas_price: quantity.default(0),
  value: quantity.default(0),
  block_number: z.int().nonnegative().optional(),
});
export type SimulationRequest = z.infer<typeof simulationRequest>;

interface CallFrame {
  readonly type: string;
  readonly from: string;
  readonly to?: string;
  readonly gas: string;
  readonly gasUsed: string;
  readonly value?: string;
  readonly input: string;
  readonly output?: string;
  readonly error?: string;
  readonly revertReason?: string;
  readonly calls?: readonly CallFrame[];
  readonly logs?: readonly { readonly address: string; readonly topics: readonly string[]; readonly data: string }[];
}

/**
 * The chain did not execute the transaction at all: no funds, too little gas, no such block. Has the chain's message.
 */
export class NotExecutable extends Error {}

export async function chainId(rpcUrl: string): Promise<number> {
  return Number(await rpc(rpcUrl, 'eth_chainId', []));
}

/** @throws NotExecutable */
export async function simulate(rpcUrl: string, request: SimulationRequest): Promise<object> {
  const number = request.block_number ?? Number(await rpc(rpcUrl, 'eth_blockNumber', []));
  const transaction = {
    from: request.from,
    to: request.to,
    data: request.input,
    gas: hex(request.gas),
    gasPrice: hex(request.gas_price),
    value: hex(request.value),
  };
  const tracer = { tracer: 'callTracer', tracerConfig: { withLog: true } };
  const [block, nonce, trace] = await Promise.all([
    rpc(rpcUrl, 'eth_getBlockByNumber', [hex(number), false]) as Promise<{ hash: string; timestamp: string } | null>,
    rpc(rpcUrl, 'eth_getTransactionCount', [request.from, hex(number)]),
    rpc(rpcUrl, 'debug_traceCall', [transaction, hex(number), tracer]) as Promise<CallFrame>,
  ]);
  return tenderlyAnswer(request, trace, { number, nonce: Number(nonce), ...block });
}

function tenderlyAnswer(
  request: SimulationRequest,
  trace: CallFrame,
  block: { number: number; nonce: number; hash?: string; timestamp?: string },
): object {
  const id = randomUUID();
  const now = new Date().toISOString();
  const status = trace.error === undefined;
  const gasUsed = Number(trace.gasUsed);
  const common = {
    network_id: request.network_id,
    block_number: block.number,
    from: request.from.toLowerCase(),
    to: request.to.toLowerCase(),
    input: request.input,
    gas: Number(request.gas),
    gas_used: gasUsed,
    value: String(request.value),
    nonce: block.nonce,
    status,
    access_list: null,
  };
  return {
    transaction: {
      ...common,
      block_hash: block.hash,
      timestamp: new Date(Number(block.timestamp) * 1000).toISOString(),
      gas_price: Number(request.gas_price),
      cumulative_gas_used: gasUsed,
      index: 0,
      addresses: [...addressesOf(trace)],
      ...(status ? {} : { error_message: trace.error, error_info: { error_message: trace.error, address: trace.to } }),
      transaction_info: {
        transaction_id: id,
        block_number: block.number,
        contract_address: common.to,
        method: null,
        call_trace: traceOf(trace),
        logs: logsOf(trace),
        created_at: now,
      },
      created_at: now,
    },
    simulation: { ...common, id, transaction_index: 0, gas_price: String(request.gas_price), created_at: now },
    contracts: [],
    generated_access_list: [],
  };
}

function traceOf(frame: CallFrame): object {
  return {
    call_type: frame.type,
    from: frame.from,
    to: frame.to,
    gas: Number(frame.gas),
    gas_used: Number(frame.gasUsed),
    value: frame.value,
    input: frame.input,
    output: frame.output ?? '0x',
    error: frame.error,
    error_reason: frame.revertReason,
    calls: frame.calls?.map(traceOf) ?? null,
  };
}

function logsOf({ logs = [], calls = [] }: CallFrame): object[] {
  return [...logs.map(({ address, topics, data }) => ({ raw: { address, topics, data } })), ...calls.flatMap(logsOf)];
}

function addressesOf({ from, to, calls = [] }: CallFrame): Set<string> {
  return new Set([from, ...(to ? [to] : []), ...calls.flatMap((call) => [...addressesOf(call)])]);
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

function hex(value: string | number): string {
  return `0x${BigInt(value).toString(16)}`;
}
