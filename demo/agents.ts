/** Starts agents on a stage and follows their steps. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { AddressAnswer, AddressQuestion, addressAgent } from '../examples/address-agent/workflows.js';
import { readHistory, type StepRecord, stepsOf } from './history.js';
import type { DemoQuestion } from './services.js';
import type { Stage } from './stage.js';

const POLL_MS = 200;
/** With this timeout, a killed worker is noticed within seconds. */
const LLM_OPTIONS = { heartbeatTimeout: '4 seconds' } as const;

export interface AgentRun {
  readonly workspaceId: string;
  readonly workflowId: string;
  readonly status: string;
  readonly answer: string | null;
  readonly steps: readonly StepRecord[];
}

export type Agent = WorkflowHandle<typeof addressAgent>;

export function startAgent(
  client: Client,
  taskQueue: string,
  workflowId: string,
  question: AddressQuestion,
): Promise<Agent> {
  return client.workflow.start('addressAgent', {
    taskQueue,
    workflowId,
    args: [question],
    staticSummary: `${question.workspaceId}: ${question.question}`,
  });
}

/** Starts an agent for a question of the demo. */
export function ask({ workspaceId, provider, question, address }: DemoQuestion, stage: Stage): Promise<Agent> {
  const workflowId = `${workspaceId}/${provider}/${randomUUID().slice(0, 8)}`;
  const { chainId } = stage.services;
  const input = { workspaceId, question, address, chainId, providers: [provider], llmOptions: LLM_OPTIONS };
  return startAgent(stage.grants.clientFor(workspaceId), stage.taskQueue, workflowId, input);
}

/** Follows an agent to its end; `onStep` is called for each completed activity, once. */
export async function followAgent(
  agent: Agent,
  workspaceId: string,
  onStep: (workflowId: string, step: StepRecord) => void,
): Promise<AgentRun> {
  let shown = 0;
  for (;;) {
    const { status } = await agent.describe();
    const steps = stepsOf(await readHistory(agent));
    for (const step of steps.slice(shown)) onStep(agent.workflowId, step);
    shown = steps.length;
    if (status.name !== 'RUNNING') {
      const answer = status.name === 'COMPLETED' ? ((await agent.result()) as AddressAnswer).answer : null;
      return { workspaceId, workflowId: agent.workflowId, status: status.name, answer, steps };
    }
    await delay(POLL_MS);
  }
}

/** Waits for the agent's next activity, and returns its worker's identity. @throws Error if the agent has ended */
export async function workerOf(agent: Agent): Promise<string> {
  for (;;) {
    const { raw, status } = await agent.describe();
    if (status.name !== 'RUNNING')
      throw new Error(`${agent.workflowId} ended before its step was held: ${status.name}`);
    const pending = raw.pendingActivities?.find((activity) => activity.lastWorkerIdentity);
    if (pending?.lastWorkerIdentity) return pending.lastWorkerIdentity;
    await delay(POLL_MS);
  }
}
