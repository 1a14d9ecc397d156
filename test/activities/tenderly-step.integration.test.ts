/** A simulation, computed by a real chain behind a stand-in for Tenderly. */
import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { WorkspaceProviders } from '../../src/index.js';
import type { SimulatedTransaction, TenderlyStepInput, TenderlyStepResult } from '../../src/workflow.js';
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
  return (await inActivity().run(providers.activities.tenderlyStep, step)) as TenderlyStepResult;
}

const callsOfWorkspace = () =>
  stage.chain.tenderly.calls().filter(({ expectedOwner }) => expectedOwner === workspaceId);

test("tenderlyStep returns whether a transaction would succeed, using the workspace's key and project", async () => {
  expect(await simulate()).toEqual({
    success: true,
    gasUsed: 21_000,
    errorMessage: undefined,
    simulationId: undefined,
    provider: { name: 'default', version: 1, source: 'workspace', cache: 'hit' },
  });
  expect(callsOfWorkspace()).toMatchObject([{ owner: workspaceId, status: 200 }]);
});

test('tenderlyStep returns the id of the simulation if it is saved', async () => {
  expect((await simulate({}, { save: true })).simulationId).toEqual(expect.any(String));
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
