/**
 * Records histories of this version of the address agents for `replay.integration.test.ts`. Run it by hand, once per
 * release that changes them:
 *
 *     npx vitest run --config test/replay/record.config.ts test/replay/record.ts
 */
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { beforeAll, describe, expect, test } from 'vitest';
import type { addressAgent } from '../../examples/address-agent/workflows.js';
import { FUNDED_ADDRESS, newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { uniqueName } from '../support/parts.js';
import { keepHistory } from './recorded-history.js';

const stage = useAgentStage({ chain: true });
let taskQueue: string;

beforeAll(async () => {
  ({ taskQueue } = await stage.startWorker({ workflowsPath: fileURLToPath(new URL('workflows.ts', import.meta.url)) }));
});

const keep = (name: string, agent: WorkflowHandle) => keepHistory(name, agent, stage.secrets);

describe.each([
  ['by reference', 'addressAgent', ''],
  ['by name', 'agentByName', 'by-name-'],
])('an agent that has its providers %s', (_, workflowType, prefix) => {
  async function start(workspaceId: string) {
    await Promise.all([stage.addTenderly(workspaceId), stage.addEndpoint(workspaceId, 'main')]);
    const question = `Can ${workspaceId} pay?`;
    return stage.grants.clientFor(workspaceId).workflow.start<typeof addressAgent>(workflowType, {
      ...{ taskQueue, workflowId: uniqueName('recorded') },
      args: [{ workspaceId, question, address: FUNDED_ADDRESS, chainId: stage.chain.chainId }],
      staticSummary: `${workspaceId}: ${question}`,
    });
  }

  test('completed', async () => {
    const workspaceId = newWorkspace();
    await stage.addLlm(workspaceId);
    const agent = await start(workspaceId);
    await agent.result();
    await keep(`${prefix}completed`, agent);
  });

  test('completed after a step was retried', async () => {
    const workspaceId = newWorkspace();
    await stage.addLlm(workspaceId);
    stage.llm.failNext({ status: 500, owner: workspaceId });
    const agent = await start(workspaceId);
    await agent.result();
    await keep(`${prefix}retried`, agent);
  });

  test('whose key was refused', async () => {
    const workspaceId = newWorkspace();
    await stage.addLlm(workspaceId, 'anthropic', { admitted: false });
    const agent = await start(workspaceId);
    await expect(agent.result()).rejects.toThrow();
    await keep(`${prefix}refused`, agent);
  });

  test('in progress', async () => {
    const workspaceId = newWorkspace();
    await stage.addLlm(workspaceId);
    const hold = stage.llm.holdNext({ owner: workspaceId });
    const agent = await start(workspaceId);
    await hold.arrived;
    await keep(`${prefix}at-work`, agent);
    hold.release();
    await agent.result();
  });
});
