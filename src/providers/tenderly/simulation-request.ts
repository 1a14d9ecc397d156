/**
 * What is sent to Tenderly's simulation API. Its page (https://docs.tenderly.co/api-reference/simulations) documents
 * numbers of gas and blocks as JSON numbers, amounts of wei as decimal texts, and the fields of a block's header in
 * hexadecimal. A step takes each of them in each of these forms.
 */
import { z } from 'zod';
import type {
  AccountOverride,
  BlockOverrides,
  Quantity,
  SimulatedTransaction,
  SimulationSettings,
} from '../../protocol/simulations.js';
import { word } from '../fields.js';

/** One transaction, or a bundle. */
export type SimulationRequest = SimulationSettings &
  ({ readonly transaction: SimulatedTransaction } | { readonly transactions: readonly SimulatedTransaction[] });

/** The longest call data that a transaction of a public chain carries, with room. */
const MAX_HEX_CHARACTERS = 512 * 1024;
const MAX_TRANSACTIONS = 100;
const MAX_ENTRIES = 1_000;

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const QUANTITY = /^(\d{1,78}|0x[0-9a-fA-F]{1,64})$/;
const ADDRESS_RULE = 'must be an address: 0x and 40 hex digits';
const HEX_RULE = `must be bytes in hex: 0x and an even number of digits, at most ${MAX_HEX_CHARACTERS}`;
const WORD_RULE = 'must be 32 bytes in hex: 0x and 64 digits';
const FORMS = 'as a number, a decimal text or a text of 0x and hex digits';
const WEI_RULE = `must be a whole number of wei, below 2^256, ${FORMS}`;
const COUNT_RULE = `must be a whole number up to 9007199254740991, ${FORMS}`;
const INDEX_RULE = 'must be a whole number from 0';
const BLOCK_RULE = `must be latest, earliest or the number of a block, ${FORMS}`;

const address = word(ADDRESS_RULE, ADDRESS);
const slot = word(WORD_RULE, /^0x[0-9a-fA-F]{64}$/);
const bytes = z
  .string({ error: HEX_RULE })
  .max(MAX_HEX_CHARACTERS, { error: HEX_RULE })
  .regex(/^0x([0-9a-fA-F]{2})*$/, { error: HEX_RULE });
const wei = quantity(WEI_RULE, (value) => value < 1n << 256n);
const count = quantity(COUNT_RULE, (value) => value <= BigInt(Number.MAX_SAFE_INTEGER));

function quantity(error: string, isAllowed: (value: bigint) => boolean) {
  const forms = z.union([z.int({ error }).min(0, { error }), z.string({ error }).regex(QUANTITY, { error })], {
    error,
  });
  // A form that does not fit comes here too.
  return forms.refine((value) => QUANTITY.test(String(value)) && isAllowed(BigInt(value)), { error });
}

/** A name that other APIs have for a field: without it, the step would be refused without a word about the right one. */
const called = (name: string) => z.never({ error: `must be given as \`${name}\`` }).optional();

const entries = (rule: string) => ({ error: `must be ${rule}, at most ${MAX_ENTRIES}` });
const isSmall = (value: object) => Object.keys(value).length <= MAX_ENTRIES;

const storage = z.record(slot, slot, { error: 'must be an object of slots: each name and value 0x and 64 hex digits' });

const account: z.ZodType<AccountOverride> = z.strictObject({
  balance: wei.optional(),
  nonce: count.optional(),
  code: bytes.optional(),
  storage: storage.refine(isSmall, entries('an object of slots')).optional(),
  stateDiff: called('storage'),
});

const transaction: z.ZodType<SimulatedTransaction> = z
  .strictObject(
    {
      from: address,
      to: address.optional(),
      input: bytes.optional(),
      data: called('input'),
      value: wei.optional(),
      gas: count.optional(),
      gasLimit: called('gas'),
      gasPrice: wei.optional(),
      accessList: z
        .array(z.strictObject({ address, storageKeys: z.array(slot).max(MAX_ENTRIES) }), entries('a list'))
        .max(MAX_ENTRIES, entries('a list'))
        .optional(),
      stateOverrides: z
        .record(address, account, { error: 'must be an object: an override per address' })
        .refine(isSmall, entries('an object'))
        .optional(),
    },
    { error: (issue) => (issue.code === 'invalid_type' ? 'must be an object with `from`' : undefined) },
  )
  .refine(({ to, input = '0x' }) => to !== undefined || input !== '0x', {
    path: ['to'],
    error: 'must be given, unless `input` has the code of a contract to create',
  });

const blockOverrides: z.ZodType<BlockOverrides> = z.strictObject({
  number: count.optional(),
  timestamp: count.optional(),
  time: called('timestamp'),
  gasLimit: count.optional(),
  baseFeePerGas: wei.optional(),
  miner: address.optional(),
  coinbase: called('miner'),
  feeRecipient: called('miner'),
});

const TRANSACTIONS_RULE = `must be a list of 1 to ${MAX_TRANSACTIONS} transactions`;

/** The fields of `tenderlyStep`'s input beside `ref`. */
export const simulationFields = {
  networkId: word('must be a decimal chain id', /^[1-9]\d{0,15}$/),
  transaction: transaction.optional(),
  transactions: z
    .array(transaction, { error: TRANSACTIONS_RULE })
    .min(1, { error: TRANSACTIONS_RULE })
    .max(MAX_TRANSACTIONS, { error: TRANSACTIONS_RULE })
    .optional(),
  block: z.union([z.enum(['latest', 'earliest']), count], { error: BLOCK_RULE }).optional(),
  blockNumber: called('block'),
  transactionIndex: z.int({ error: INDEX_RULE }).min(0, { error: INDEX_RULE }).optional(),
  blockOverrides: blockOverrides.optional(),
  stateOverrides: called('transaction.stateOverrides'),
  simulationType: z.enum(['full', 'abi', 'quick'], { error: 'must be full, abi or quick' }).optional(),
  save: z.boolean({ error: 'must be true or false' }).optional(),
};

/** Whether the input has one of `transaction` and `transactions`. */
export const hasOneSubject = (input: { readonly transaction?: unknown; readonly transactions?: unknown }): boolean =>
  (input.transaction === undefined) !== (input.transactions === undefined);

export const SUBJECT_RULE = 'must be given, or `transactions`: one of the two';

/** The body of a request to `simulate`, or one entry of a bundle. */
export function simulationBody(settings: SimulationSettings, asked: SimulatedTransaction): object {
  const { networkId, block = 'latest', transactionIndex, blockOverrides: header, simulationType, save } = settings;
  const { from, to, input = '0x', value = 0, gas, gasPrice, accessList, stateOverrides } = asked;
  return {
    network_id: networkId,
    // The API documents no tag: without a number it takes the newest block.
    block_number: block === 'latest' ? undefined : block === 'earliest' ? 0 : Number(block),
    transaction_index: transactionIndex,
    ...{ from, to, input, value: decimal(value) },
    gas: gas === undefined ? undefined : Number(gas),
    gas_price: gasPrice === undefined ? undefined : decimal(gasPrice),
    access_list: accessList?.map(({ address: of, storageKeys }) => ({ address: of, storage_keys: storageKeys })),
    state_objects: stateOverrides && mapped(stateOverrides, overrideBody),
    block_header: header && headerBody(header),
    simulation_type: simulationType ?? 'full',
    save: save ?? false,
    save_if_fails: save ?? false,
  };
}

function headerBody({ miner, ...quantities }: BlockOverrides): object {
  return { miner, ...mapped({ ...quantities }, hex) };
}

function overrideBody({ balance, nonce, code, storage: slots }: AccountOverride): object {
  return {
    balance: balance === undefined ? undefined : decimal(balance),
    nonce: nonce === undefined ? undefined : Number(nonce),
    ...{ code, storage: slots },
  };
}

function mapped<Value>(of: Readonly<Record<string, Value | undefined>>, map: (value: Value) => unknown): object {
  return Object.fromEntries(
    Object.entries(of).flatMap(([name, value]) => (value === undefined ? [] : [[name, map(value)] as const])),
  );
}

const decimal = (value: Quantity) => BigInt(value).toString();
const hex = (value: Quantity) => `0x${BigInt(value).toString(16)}`;
