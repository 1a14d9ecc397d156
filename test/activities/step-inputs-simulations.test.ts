/** What `tenderlyStep` refuses before it opens a credential, and what it takes. */
import { describe, expect, test } from 'vitest';
import { createTenderlyStep } from '../../src/activities/tenderly-step.js';
import { resolverInMemory, WORKSPACE } from '../resolver/resolver-in-memory.js';
import { inActivity } from './in-activity.js';

const CANARY = 'canary-sk-5e1f0c7d';
const memory = resolverInMemory();

const ref = {
  workspaceId: WORKSPACE,
  type: 'tenderly',
  name: 'default',
  version: 1,
  source: 'workspace',
  cache: 'hit',
  shown: {},
};
const address = `0x${'0'.repeat(40)}`;
const transaction = { from: address, to: address };
const tenderly = { ref, networkId: '1', transaction };
const withFields = (fields: object) => ({ ...tenderly, transaction: { ...transaction, ...fields } });
const bundle = (...transactions: unknown[]) => ({ ...tenderly, transaction: undefined, transactions });

const refusalOf = (input: unknown): Promise<unknown> =>
  inActivity()
    .run(createTenderlyStep(memory.resolverWith()) as (input: never) => Promise<unknown>, input as never)
    .then(
      () => 'accepted',
      (error: unknown) => error,
    );

describe('a field is refused by its name, and nothing is read or sent [G18]', () => {
  test.each<[string, unknown, string]>([
    ['a network by name', { ...tenderly, networkId: 'mainnet' }, 'networkId'],
    ['a network with a path', { ...tenderly, networkId: '1/../../x' }, 'networkId'],
    ['an address that is a key', withFields({ from: CANARY }), 'transaction.from'],
    ['neither an address nor code', { ...tenderly, transaction: { from: address } }, 'transaction.to'],
    ['half a byte', withFields({ input: '0xabc' }), 'transaction.input'],
    ['half a wei', withFields({ value: '1.5' }), 'transaction.value'],
    ['a negative value', withFields({ value: '-1' }), 'transaction.value'],
    ['more wei than 256 bits', withFields({ value: '9'.repeat(78) }), 'transaction.value'],
    ['a value that a number cannot hold', withFields({ value: 2 ** 60 }), 'transaction.value'],
    ['half a gas', withFields({ gas: 1.5 }), 'transaction.gas'],
    ['more gas than a number holds', withFields({ gas: '0xffffffffffffffff' }), 'transaction.gas'],
    ['no transaction', { ...tenderly, transaction: CANARY }, 'transaction'],
    ['an unknown field', withFields({ nonce: 1 }), 'transaction.nonce'],
    ['call data as viem has it', withFields({ data: '0x01' }), 'transaction.data'],
    ['call data beside the input', withFields({ input: '0x01', data: '0x01' }), 'transaction.data'],
    ['a block as viem has it', { ...tenderly, blockNumber: 5 }, 'blockNumber'],
    ['a block as Tenderly has it', { ...tenderly, block_number: 5 }, 'block_number'],
    ['a block of the future', { ...tenderly, block: 'pending' }, 'block'],
    ['half a block', { ...tenderly, block: 1.5 }, 'block'],
    ['a simulation type', { ...tenderly, simulationType: CANARY }, 'simulationType'],
    ['overrides beside the transaction', { ...tenderly, stateOverrides: {} }, 'stateOverrides'],
    [
      'a state diff',
      withFields({ stateOverrides: { [address]: { stateDiff: {} } } }),
      'transaction.stateOverrides.….stateDiff',
    ],
    ['overrides of no address', withFields({ stateOverrides: { [CANARY]: {} } }), 'transaction.stateOverrides.…'],
    [
      'a slot of one byte',
      withFields({ accessList: [{ address, storageKeys: ['0x01'] }] }),
      'transaction.accessList.0.storageKeys.0',
    ],
    ['a time as geth has it', { ...tenderly, blockOverrides: { time: 1 } }, 'blockOverrides.time'],
    ['a transaction and a bundle', { ...tenderly, transactions: [transaction] }, 'transaction'],
    ['neither of them', { ...tenderly, transaction: undefined }, 'transaction'],
    ['an empty bundle', bundle(), 'transactions'],
    ['a bundle of 101', bundle(...Array(101).fill(transaction)), 'transactions'],
    ['an unknown field in a bundle', bundle({ ...transaction, data: '0x' }), 'transactions.0.data'],
    ['save as text', { ...tenderly, save: CANARY }, 'save'],
  ])('%s', async (_what, input, field) => {
    const refusal = await refusalOf(input);
    expect(refusal).toMatchObject({
      type: 'ProviderConfigInvalid',
      nonRetryable: true,
      details: [{ fields: [field] }],
    });
    expect(String((refusal as Error).stack)).not.toContain(CANARY);
    expect(memory.store.loads, 'nothing was read').toBe(0);
  });

  test('one that other APIs name otherwise is refused with its name here', async () => {
    expect(await refusalOf({ ...tenderly, blockNumber: 5 })).toMatchObject({
      message: 'tenderlyStep: blockNumber must be given as `block`',
    });
    expect(await refusalOf(withFields({ data: '0x01' }))).toMatchObject({
      message: 'tenderlyStep: transaction.data must be given as `input`',
    });
  });
});

test.each<[string, unknown]>([
  ['a transaction', { ...withFields({ input: '0x', value: '0xff', gas: 21_000 }), save: true }],
  [
    'everything',
    {
      ...{ ...tenderly, block: '0x10', transactionIndex: 0, simulationType: 'quick' },
      blockOverrides: { number: 1, timestamp: '0x1', gasLimit: '30000000', baseFeePerGas: 0, miner: address },
      transaction: {
        ...{ from: address, input: '0x00', value: 0, gas: '0x5208', gasPrice: '1' },
        accessList: [{ address, storageKeys: [] }],
        stateOverrides: { [address]: { balance: '0xff', nonce: 1, code: '0x', storage: {} } },
      },
    },
  ],
  ['a bundle', bundle(transaction, transaction)],
])('%s is accepted: the step goes on to the database', async (_what, input) => {
  expect(await refusalOf(input)).toMatchObject({ type: 'ProviderNotConfigured' });
});
