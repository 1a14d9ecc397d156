/** The example agent from question to answer, with every API format for models. */
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { beforeAll, describe, expect, test } from 'vitest';
import { startAgent } from '../../demo/agents.js';
import { stepsOf } from '../../demo/history.js';
import type { addressAgent } from '../../examples/address-agent/workflows.js';
import type { LlmProvider } from '../../src/testing/services/wire-format.js';
import { FUNDED_ADDRESS, newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { uniqueName } from '../support/parts.js';
import { summariesOf } from './history.js';
import { leaksOf } from './leaks.js';

interface Run {
  readonly workspaceId: string;
  readonly name: string;
  readonly agent: WorkflowHandle<typeof addressAgent>;
}

/** Each service, and the name under which a workspace configured it. */
const SERVICES = [
  ['anthropic', 'anthropic'],
  ['openai', 'openai'],
  ['gemini', 'gemini'],
  ['openai-compatible', 'local-model'],
] as const satisfies readonly (readonly [LlmProvider, string])[];

const stage = useAgentStage({
  chain: true,
  answer: ({ wantsJson, prompt, owner }) =>
    wantsJson ? '{"transferWei":"1000000000000000000"}' : `${owner} was told: ${prompt}`,
});
let runs: ReadonlyMap<string, Run>;
let taskQueue: string;

beforeAll(async () => {
  const workflowsPath = fileURLToPath(new URL('workflows.ts', import.meta.url));
  ({ taskQueue } = await stage.startWorker({ workflowsPath }));
  const started = SERVICES.map(async ([service, name]) => [service, await start(taskQueue, service, name)] as const);
  runs = new Map(await Promise.all(started));
});

async function start(taskQueue: string, service: LlmProvider, name: string): Promise<Run> {
  const workspaceId = newWorkspace();
  await stage.addLlm(workspaceId, service);
  await stage.addTenderly(workspaceId);
  await stage.addEndpoint(workspaceId, 'main');
  const agent = await startAgent(stage.grants.clientFor(workspaceId), taskQueue, uniqueName(workspaceId), {
    workspaceId,
    question: `Can ${workspaceId} pay?`,
    address: FUNDED_ADDRESS,
    chainId: stage.chain.chainId,
    providers: [name],
  });
  return { workspaceId, name, agent };
}

describe.each(SERVICES)('an agent that asks %s', (service) => {
  const run = () => runs.get(service) as Run;

  test('answers with facts from the chain', async () => {
    const { workspaceId, agent } = run();
    const { answer, balanceWei, transferWouldSucceed } = await agent.result();
    expect(balanceWei).toBe('10000000000000000000000');
    expect(transferWouldSucceed).toBe(true);
    expect(answer).toContain(`${workspaceId} was told: Can ${workspaceId} pay?`);
    expect(answer).toContain(`The balance is ${balanceWei} wei. A transfer of 1000000000000000000 wei would succeed.`);
  });

  test('records the provider, version, source and cache result of each step', async () => {
    const { name, agent } = run();
    await agent.result();
    const own = { version: 1, source: 'workspace', worker: expect.any(String) };
    expect(stepsOf(await agent.fetchHistory())).toEqual([
      { ...own, step: 'llmStep', provider: name, cache: 'miss' },
      { ...own, step: 'rpcStep', provider: 'main', cache: 'hit' },
      { ...own, step: 'tenderlyStep', provider: 'default', cache: 'hit' },
      { ...own, step: 'llmStep', provider: name, cache: 'hit' },
    ]);
  });

  test('has readable summaries in the Temporal UI', async () => {
    const { workspaceId, name, agent } = run();
    await agent.result();
    const { chainId } = stage.chain;
    expect(await (await agent.describe()).staticSummary()).toBe(`${workspaceId}: Can ${workspaceId} pay?`);
    expect(summariesOf(await agent.fetchHistory())).toEqual([
      `${name} for ${workspaceId}`,
      `eth_getBalance on chain ${chainId} for ${workspaceId}`,
      `simulate on ${chainId} · default for ${workspaceId}`,
      `${name} for ${workspaceId}`,
    ]);
  });

  test('leaves no secret in its history [G4]', async () => {
    const { workspaceId, agent } = run();
    await agent.result();
    expect(await leaksOf(agent, [workspaceId])).toEqual([workspaceId]);
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);
  });

  test('calls each service with the key of its own workspace [G17]', async () => {
    const { workspaceId, agent } = run();
    await agent.result();
    const calls = [...stage.llm.calls(), ...stage.chain.tenderly.calls()];
    const own = calls.filter(({ expectedOwner }) => expectedOwner === workspaceId);
    expect(own.map(({ owner, status }) => `${owner} ${status}`)).toEqual(Array(3).fill(`${workspaceId} 200`));
    const reads = stage.chain.gateway.calls().filter(({ owner }) => owner === `${workspaceId} main`);
    expect(reads.map(({ status }) => status)).toEqual([200, 200]);
  });
});

test("no call came with another workspace's key", () => {
  expect([...stage.llm.wrongKeyCalls(), ...stage.chain.tenderly.wrongKeyCalls()]).toEqual([]);
});

test.each([
  ['without arguments', []],
  ['with an empty question', [{}]],
  ['with text', ['What does it hold?']],
])('an agent that is started %s fails at once, and says what it needs', async (_, args) => {
  const workspaceId = newWorkspace();
  const options = { taskQueue, workflowId: uniqueName(workspaceId), args };
  const agent = await stage.grants.clientFor(workspaceId).workflow.start('addressAgent', options);
  await expect(agent.result()).rejects.toMatchObject({
    cause: { message: 'addressAgent needs one argument: { question, address, chainId }', nonRetryable: true },
  });
});

test('an agent whose workspace lacks a provider fails with the name of what is missing', async () => {
  const workspaceId = newWorkspace();
  await stage.addLlm(workspaceId);
  const question = { question: 'Can it pay?', address: FUNDED_ADDRESS, chainId: stage.chain.chainId };
  const agent = await startAgent(stage.grants.clientFor(workspaceId), taskQueue, uniqueName(workspaceId), {
    ...question,
    workspaceId,
  });
  await expect(agent.result()).rejects.toMatchObject({
    cause: { type: 'ProviderNotConfigured', message: expect.stringContaining(`${workspaceId} has no rpc`) },
  });
});
