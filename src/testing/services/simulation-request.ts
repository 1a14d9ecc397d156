/**
 * What Tenderly's simulation API takes, as far as its page documents it. A number of gas or of a block is a JSON number
 * and no text; an amount of wei is a decimal text; the fields of a block's header are in hexadecimal. Fields that the
 * API does not know are ignored, as there: a call whose data is in `data` is an empty call.
 */
import { z } from 'zod';

const decimal = z.string().regex(/^\d+$/);
const hexNumber = z.string().regex(/^0x[0-9a-f]+$/i);
const address = z.string().regex(/^0x[0-9a-f]{40}$/i);
const bytes = z.string().regex(/^0x([0-9a-f]{2})*$/i);
const slot = z.string().regex(/^0x[0-9a-f]{64}$/i);
const number = z.int().nonnegative();

export const simulationRequest = z.looseObject({
  network_id: z.string(),
  from: address,
  /** Without it, the transaction creates a contract. */
  to: address.optional(),
  input: bytes.default('0x'),
  gas: number.default(8_000_000),
  gas_price: decimal.default('0'),
  value: decimal.default('0'),
  block_number: number.optional(),
  transaction_index: number.optional(),
  access_list: z.array(z.strictObject({ address, storage_keys: z.array(slot) })).nullish(),
  state_objects: z
    .record(
      address,
      z.strictObject({
        balance: decimal.optional(),
        nonce: number.optional(),
        code: bytes.optional(),
        storage: z.record(slot, slot).optional(),
      }),
    )
    .nullish(),
  block_header: z
    .object({
      number: hexNumber.optional(),
      timestamp: hexNumber.optional(),
      gasLimit: hexNumber.optional(),
      baseFeePerGas: hexNumber.optional(),
      miner: address.optional(),
    })
    .nullish(),
  simulation_type: z.enum(['full', 'abi', 'quick']).default('full'),
});
export type SimulationRequest = z.infer<typeof simulationRequest>;

export const bundleRequest = z.object({ simulations: z.array(simulationRequest).min(1) });

/** The call, as a node takes it. */
export function callOf({ from, to, input, gas, gas_price, value, access_list }: SimulationRequest): object {
  return {
    ...{ from, to, data: input, gas: hex(gas), gasPrice: hex(gas_price), value: hex(value) },
    ...(access_list && {
      accessList: access_list.map((entry) => ({ address: entry.address, storageKeys: entry.storage_keys })),
    }),
  };
}

export function stateOverridesOf({ state_objects }: SimulationRequest): object | undefined {
  if (!state_objects) return undefined;
  const overrides = Object.entries(state_objects).map(([of, { balance, nonce, code, storage }]) => [
    of,
    {
      ...(balance !== undefined && { balance: hex(balance) }),
      ...(nonce !== undefined && { nonce: hex(nonce) }),
      ...(code !== undefined && { code }),
      ...(storage && { stateDiff: storage }),
    },
  ]);
  return Object.fromEntries(overrides) as object;
}

export function blockOverridesOf({ block_header }: SimulationRequest): object | undefined {
  if (!block_header) return undefined;
  const { number: at, timestamp: time, gasLimit, baseFeePerGas, miner: feeRecipient } = block_header;
  return { number: at, time, gasLimit, baseFeePerGas, feeRecipient };
}

export function hex(value: string | number): string {
  return `0x${BigInt(value).toString(16)}`;
}
