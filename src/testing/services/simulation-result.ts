/** What Tenderly's simulation API says about an executed transaction. What only Tenderly can know is left out. */
import { randomUUID } from 'node:crypto';
import type { SimulationRequest } from './simulation-request.js';

export interface RawLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}

export interface CallFrame {
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
  readonly logs?: readonly RawLog[];
}

export interface ExecutedIn {
  readonly number: number;
  readonly hash?: string;
  readonly timestamp?: string;
  readonly nonce: number;
}

const TRANSFER = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
const NOBODY = `0x${'0'.repeat(40)}`;

export function tenderlyResult(request: SimulationRequest, trace: CallFrame, block: ExecutedIn): object {
  const id = randomUUID();
  const now = new Date().toISOString();
  const status = trace.error === undefined;
  const gasUsed = Number(trace.gasUsed);
  const to = (request.to ?? trace.to ?? '').toLowerCase();
  const logs = logsOf(trace);
  const isDecoded = request.simulation_type !== 'quick';
  const common = {
    network_id: request.network_id,
    block_number: block.number,
    from: request.from.toLowerCase(),
    to,
    input: request.input,
    gas: request.gas,
    gas_used: gasUsed,
    value: request.value,
    nonce: block.nonce,
    status,
    access_list: request.access_list ?? null,
  };
  return {
    transaction: {
      ...common,
      block_hash: block.hash,
      timestamp: new Date(Number(block.timestamp) * 1000).toISOString(),
      gas_price: Number(request.gas_price),
      cumulative_gas_used: gasUsed,
      index: request.transaction_index ?? 0,
      addresses: [...addressesOf(trace)],
      ...(status ? {} : { error_message: trace.error, error_info: { error_message: trace.error, address: trace.to } }),
      transaction_info: {
        transaction_id: id,
        block_number: block.number,
        contract_address: to,
        method: null,
        call_trace: traceOf(trace),
        // Tenderly has null for none.
        logs: logs.length === 0 ? null : logs.map((log) => ({ ...(isDecoded && decoded(log)), raw: log })),
        asset_changes: request.simulation_type === 'full' && status ? changesOf(trace, logs) : null,
        created_at: now,
      },
      created_at: now,
    },
    simulation: { ...common, id, transaction_index: 0, gas_price: request.gas_price, created_at: now },
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

function logsOf({ logs = [], calls = [] }: CallFrame): RawLog[] {
  return [...logs.map(({ address, topics, data }) => ({ address, topics, data })), ...calls.flatMap(logsOf)];
}

function addressesOf({ from, to, calls = [] }: CallFrame): Set<string> {
  return new Set([from, ...(to ? [to] : []), ...calls.flatMap((call) => [...addressesOf(call)])]);
}

/** Transfers of the native currency by the transaction itself, and of tokens by their events. */
function changesOf({ from, to, value = '0x0' }: CallFrame, logs: readonly RawLog[]): object[] {
  const native = {
    token_info: { standard: 'NativeCurrency', type: 'Native', symbol: 'ETH', decimals: 18 },
    ...{ type: 'Transfer', from, to, amount: String(Number(value) / 1e18), raw_amount: value },
  };
  return [...(BigInt(value) > 0n ? [native] : []), ...logs.flatMap((log) => tokenChange(log) ?? [])];
}

function tokenChange({ address, topics, data }: RawLog): object | undefined {
  const [event, from = '', to = '', tokenId] = topics;
  if (event !== TRANSFER || topics.length < 3) return undefined;
  const [sender, receiver] = [addressIn(from), addressIn(to)];
  return {
    token_info: { standard: tokenId ? 'ERC721' : 'ERC20', type: 'Fungible', contract_address: address, symbol: null },
    type: sender === NOBODY ? 'Mint' : receiver === NOBODY ? 'Burn' : 'Transfer',
    ...{ from: sender, to: receiver },
    ...(tokenId ? { token_id: String(BigInt(tokenId)) } : { raw_amount: String(BigInt(data)) }),
  };
}

function decoded({ topics, data }: RawLog): object | undefined {
  const [event, from = '', to = ''] = topics;
  if (event !== TRANSFER || topics.length !== 3) return undefined;
  const input = (name: string, type: string, value: string) => ({ soltype: { name, type }, value });
  const inputs = [
    input('from', 'address', addressIn(from)),
    input('to', 'address', addressIn(to)),
    input('value', 'uint256', String(BigInt(data))),
  ];
  return { name: 'Transfer', anonymous: false, inputs };
}

function addressIn(topic: string): string {
  return `0x${topic.slice(-40)}`;
}
