/** A simulation, computed by a real chain behind a stand-in for Tenderly. */
import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { WorkspaceProviders } from '../../src/index.js';
import type {
  SimulatedTransaction,
  TenderlyBundleInput,
  TenderlyBundleResult,
  TenderlyStepInput,
  TenderlyStepResult,
} from '../../src/workflow.js';
import { FUNDED_ADDRESS, newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { inActivity } from './in-activity.js';

const SOMEBODY = '0x000000000000000000000000000000000000dEaD';
const ETHER = '1000000000000000000';

const stage = useAgentStage({ chain: true });
let providers: WorkspaceProviders;
let workspaceId: string;

beforeAll(async () => {
  providers = await stage.connect();
});

beforeEach(async () => {
  workspaceId = newWorkspace();
  await stage.addTenderly(workspaceId);
});

async function simulate(
  transaction: Partial<SimulatedTransaction> = {},
  input: Partial<TenderlyStepInput> = {},
): Promise<TenderlyStepResult> {
  const ref = await providers.resolver.resolveTenderlyConfig({ workspaceId: workspaceId });
  const networkId = String(stage.chain.chainId);
  const transfer = { from: FUNDED_ADDRESS, to: SOMEBODY, value: ETHER, ...transaction };
  const step: TenderlyStepInput = { ref, networkId, transaction: transfer, ...input };
  return run(step);
}

const run = async <Result = TenderlyStepResult>(step: TenderlyStepInput | TenderlyBundleInput): Promise<Result> =>
  (await inActivity().run(providers.activities.tenderlyStep as never, step as never)) as Result;

const callsOfWorkspace = () =>
  stage.chain.tenderly.calls().filter(({ expectedOwner }) => expectedOwner === workspaceId);

test("tenderlyStep returns whether a transaction would succeed, using the workspace's key and project", async () => {
  expect(await simulate()).toEqual({
    success: true,
    gasUsed: 21_000,
    blockNumber: 0,
    logs: [],
    assetChanges: [
      expect.objectContaining({ type: 'Transfer', amount: '1', token: expect.objectContaining({ symbol: 'ETH' }) }),
    ],
    provider: { name: 'default', version: 1, source: 'workspace', cache: 'hit' },
  });
  expect(callsOfWorkspace()).toMatchObject([{ owner: workspaceId, status: 200 }]);
});

test('tenderlyStep returns the id of the simulation if it is saved', async () => {
  expect((await simulate({}, { save: true })).simulationId).toEqual(expect.any(String));
});

/** Contracts, as the code that a state override gives to an address. */
const CONTRACT = '0x00000000000000000000000000000000000000C0';
const slot = (value: number) => `0x${String(value).padStart(64, '0')}`;
/** Reverts with this data. */
const reverting = (data: string) => `0x60${(data.length / 2).toString(16).padStart(2, '0')}80600b6000396000fd${data}`;
/** Returns what is in slot 0 and then writes 1 into it; reverts if it is 1 already. */
const ONCE = '0x600054600114600f576001600055005b60006000fd';
const ERROR_NO = `08c379a0${'0'.repeat(62)}20${'0'.repeat(63)}2${'6e6f'.padEnd(64, '0')}`;
/** Emits `Transfer(caller, dead, 5)`. */
const EMITTING = `0x600560005261dead337fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef60206000a300`;

const at = (code: string): Partial<SimulatedTransaction> => ({
  ...{ to: CONTRACT, value: 0, stateOverrides: { [CONTRACT]: { code } } },
});

test.each([
  ['Error(string)', ERROR_NO, { reason: 'no', data: `0x${ERROR_NO}` }],
  [
    'a panic',
    `4e487b71${'0'.repeat(62)}12`,
    { reason: 'Panic(0x12): division by zero', data: `0x4e487b71${'0'.repeat(62)}12` },
  ],
  ['a custom error', 'cf479181', { data: '0xcf479181' }],
])('tenderlyStep returns why a transaction reverts: %s', async (_, data, revert) => {
  expect(await simulate(at(reverting(data)))).toMatchObject({ success: false, revert, assetChanges: [] });
});

test('tenderlyStep returns the logs and the asset changes of a transaction', async () => {
  const result = await simulate(at(EMITTING));
  expect(result.logs).toMatchObject([
    { address: CONTRACT.toLowerCase(), name: 'Transfer', inputs: [{}, {}, { value: '5' }] },
  ]);
  expect(result.assetChanges).toMatchObject([{ type: 'Transfer', rawAmount: '5', token: { standard: 'ERC20' } }]);
  const quick = await simulate(at(EMITTING), { simulationType: 'quick' });
  expect(quick.logs).toEqual([
    { address: CONTRACT.toLowerCase(), topics: expect.any(Array), data: expect.any(String) },
  ]);
  expect(quick.assetChanges).toEqual([]);
});

test('tenderlyStep simulates the creation of a contract', async () => {
  const input = '0x600a600c600039600a6000f3602a60005260206000f3';
  const result = await simulate({ to: undefined, value: 0, input, gas: '0xf4240' });
  expect(result).toMatchObject({ success: true, contractAddress: expect.stringMatching(/^0x[0-9a-f]{40}$/) });
});

test('tenderlyStep simulates with another balance, another block and its header', async () => {
  const poor = { from: SOMEBODY, to: FUNDED_ADDRESS, value: ETHER };
  await expect(simulate(poor)).rejects.toMatchObject({ type: 'ProviderRequestInvalid', nonRetryable: true });
  const rich = { ...poor, stateOverrides: { [SOMEBODY]: { balance: '0x8ac7230489e80000' } } };
  expect(await simulate(rich)).toMatchObject({ success: true });
  // Reverts unless the time of the block is 1,700,000,000.
  const timed = at('0x42636553f10014600f5760006000fd5b00');
  expect(await simulate(timed, { block: 'earliest' })).toMatchObject({ success: false });
  const blockOverrides = { timestamp: 1_700_000_000 };
  expect(await simulate(timed, { block: 0, blockOverrides })).toMatchObject({ success: true });
});

test('tenderlyStep simulates a bundle, in which a transaction sees the changes of those before it', async () => {
  const ref = await providers.resolver.resolveTenderlyConfig({ workspaceId });
  const settings = { ref, networkId: String(stage.chain.chainId) };
  const call = { from: FUNDED_ADDRESS, to: CONTRACT };
  const first = { ...call, stateOverrides: { [CONTRACT]: { code: ONCE, storage: { [slot(0)]: slot(0) } } } };
  const transactions = [first, call, call];
  const result = await run<TenderlyBundleResult>({ ...settings, transactions });
  expect(result).toMatchObject({ success: false, simulations: [{ success: true }, { success: false }] });
  expect(result.simulations).toHaveLength(2);
  const one = await run<TenderlyBundleResult>({ ...settings, transactions: [first] });
  expect(one).toMatchObject({ success: true, simulations: [{ success: true }], provider: { name: 'default' } });
});

test.each([
  ['the sender', { from: 'canary-no-address' }, 'transaction.from'],
  ['the value', { value: '1 ether' }, 'transaction.value'],
  ['the input', { input: '0xabc' }, 'transaction.input'],
])('tenderlyStep names %s if it is invalid, and sends nothing', async (_, transaction, field) => {
  await expect(simulate(transaction)).rejects.toMatchObject({
    type: 'ProviderConfigInvalid',
    nonRetryable: true,
    message: expect.not.stringContaining('canary'),
    details: [{ fields: [field] }],
  });
  expect(callsOfWorkspace()).toEqual([]);
});
