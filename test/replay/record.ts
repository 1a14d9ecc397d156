/**
 * Records histories of this version of the address agent for `replay.integration.test.ts`. Run it by hand, once per
 * release that changes the agent:
 *
 *     npx vitest run --config test/replay/record.config.ts test/replay/record.ts
 */
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { beforeAll, expect, test } from 'vitest';
import { startAgent } from '../../demo/agents.js';
import { FUNDED_ADDRESS, newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { uniqueName } from '../support/parts.js';
import { keepHistory } from './recorded-history.js';

const stage = useAgentStage({ chain: true });
let taskQueue: string;

beforeAll(async () => {
  ({ taskQueue } = await stage.startWorker({ workflowsPath: fileURLToPath(new URL('workflows.ts', import.meta.url)) }));
});

async function start(workspaceId: string) {
  await Promise.all([stage.addTenderly(workspaceId), stage.addEndpoint(workspaceId, 'main')]);
  return startAgent(stage.client, taskQueue, uniqueName('recorded'), {
    workspaceId,
    question: `Can ${workspaceId} pay?`,
    address: FUNDED_ADDRESS,
    chainId: stage.chain.chainId,
  });
}

const keep = (name: string, agent: WorkflowHandle) => keepHistory(name, agent, stage.secrets);

test('an agent that completed', async () => {
  const workspaceId = newWorkspace();
  await stage.addLlm(workspaceId);
  const agent = await start(workspaceId);
  await agent.result();
  await keep('completed', agent);
});

test('an agent that completed after a step was retried', async () => {
  const workspaceId = newWorkspace();
  await stage.addLlm(workspaceId);
  stage.llm.failNext({ status: 500, owner: workspaceId });
  const agent = await start(workspaceId);
  await agent.result();
  await keep('retried', agent);
});

test('an agent whose key was refused', async () => {
  const workspaceId = newWorkspace();
  await stage.addLlm(workspaceId, 'anthropic', { admitted: false });
  const agent = await start(workspaceId);
  await expect(agent.result()).rejects.toThrow();
  await keep('refused', agent);
});

test('an agent in progress', async () => {
  const workspaceId = newWorkspace();
  await stage.addLlm(workspaceId);
  const hold = stage.llm.holdNext({ owner: workspaceId });
  const agent = await start(workspaceId);
  await hold.arrived;
  await keep('at-work', agent);
  hold.release();
  await agent.result();
});
