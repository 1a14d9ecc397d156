/** The waits that services ask for, on a real Temporal server: a delay of 0 would end the retries there. */
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Failure } from '../../src/testing/services/controls.js';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { uniqueName } from '../support/parts.js';
import { attemptsIn, failureOf } from './history.js';
import type { askModel, readChain } from './workflows.js';

const stage = useAgentStage({ chain: true });
let taskQueue: string;

beforeAll(async () => {
  const workflowsPath = fileURLToPath(new URL('workflows.ts', import.meta.url));
  ({ taskQueue } = await stage.startWorker({ workflowsPath }));
});

const stepOptions = { retry: { initialInterval: '50 milliseconds' } } as const;

async function ask(order: Failure): Promise<[workspaceId: string, agent: WorkflowHandle<typeof askModel>]> {
  const workspaceId = newWorkspace();
  await stage.addLlm(workspaceId);
  stage.llm.failNext({ ...order, owner: workspaceId });
  const args: [object] = [{ workspaceId, prompt: `What does ${workspaceId} want?`, stepOptions }];
  const options = { taskQueue, workflowId: uniqueName('ask'), args };
  return [workspaceId, await stage.grants.clientFor(workspaceId).workflow.start('askModel', options)];
}

/** The time between the two calls of the workspace. */
function waitedMs(workspaceId: string): number {
  const calls = stage.llm.calls().filter((call) => call.expectedOwner === workspaceId);
  expect(calls).toHaveLength(2);
  return Date.parse(calls[1]?.at ?? '') - Date.parse(calls[0]?.at ?? '');
}

const date = (fromNowMs: number) => new Date(Date.now() + fromNowMs).toUTCString();
const inWords = (words: string) => ({
  status: 429,
  body: { type: 'error', error: { type: 'rate_limit_error', message: words } },
});

describe('a hint of when to come back', () => {
  test.concurrent.each<[string, () => Failure]>([
    ['Retry-After: 0', () => ({ status: 429, headers: { 'retry-after': '0' } })],
    ['Retry-After: 0 of an overload', () => ({ status: 529, headers: { 'retry-after': '0' } })],
    ['retry-after-ms: 0', () => ({ status: 503, headers: { 'retry-after-ms': '0' } })],
    ['a date that has passed', () => ({ status: 429, headers: { 'retry-after': date(-2_000) } })],
    ['a negative number', () => ({ status: 429, headers: { 'retry-after': '-5' } })],
    ['a number of many years', () => ({ status: 429, headers: { 'retry-after': '999999999' } })],
    ['a fraction of a millisecond', () => ({ status: 429, headers: { 'retry-after-ms': '0.1' } })],
    ['words without a wait', () => inWords('Please try again in 0s.')],
  ])('does not end the retries, nor delay them: %s', async (_hint, order) => {
    const [workspaceId, agent] = await ask(order());
    expect(await agent.result()).toMatchObject({ provider: { name: 'anthropic' } });
    expect(attemptsIn(await agent.fetchHistory())[1]).toMatchObject({ attempt: 2 });
    expect(waitedMs(workspaceId)).toBeLessThan(20_000);
  });

  test.concurrent.each<[string, () => Failure, leastMs: number]>([
    ['two seconds', () => ({ status: 429, headers: { 'retry-after': '2' } }), 2_000],
    ['two thousand milliseconds', () => ({ status: 429, headers: { 'retry-after-ms': '2000' } }), 2_000],
    ['two seconds, in words', () => inWords('Rate limit reached. Please try again in 2s.'), 2_000],
  ])('is waited out, and the step answers: %s', async (_hint, order, leastMs) => {
    const [workspaceId, agent] = await ask(order());
    expect(await agent.result()).toMatchObject({ provider: { name: 'anthropic' } });
    expect(waitedMs(workspaceId)).toBeGreaterThanOrEqual(leastMs);
  });

  test('is waited out, and the step answers: a date three seconds ahead', async () => {
    const ahead = date(3_000);
    const [workspaceId, agent] = await ask({ status: 503, headers: { 'retry-after': ahead } });
    await agent.result();
    const [, answered] = stage.llm.calls().filter((call) => call.expectedOwner === workspaceId);
    expect(Date.parse(answered?.at ?? '')).toBeGreaterThanOrEqual(Date.parse(ahead));
  });

  test('beyond the time of the step ends it at once, with the type of the rate limit', async () => {
    const [workspaceId, agent] = await ask({ status: 429, headers: { 'retry-after': '10800' } });
    expect(await failureOf(agent)).toMatchObject({ type: 'ProviderRateLimited' });
    expect(stage.llm.calls().filter((call) => call.expectedOwner === workspaceId)).toHaveLength(1);
  });

  test('is waited out on a chain too, and 0 does not end the retries', async () => {
    const workspaceId = newWorkspace();
    await stage.addEndpoint(workspaceId, 'main');
    const owner = `${workspaceId} main`;
    stage.chain.gateway.failNext({ status: 429, headers: { 'retry-after': '0' }, owner });
    const question = { workspaceId, chainId: stage.chain.chainId, method: 'eth_blockNumber', stepOptions };
    const agent: WorkflowHandle<typeof readChain> = await stage.grants
      .clientFor(workspaceId)
      .workflow.start('readChain', { taskQueue, workflowId: uniqueName('read'), args: [question] });
    expect(await agent.result()).toMatchObject({ provider: { name: 'main' } });
  });
});
