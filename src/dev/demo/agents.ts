/** Runs agents against whatever stage there is, and tells what they do while they do it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { AddressAnswer, AddressQuestion, addressAgent } from '../../workflows/address-agent.js';
import { readHistory, type StepRecord, stepsOf } from './history.js';

const POLL_MS = 200;

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

/** The identity of the worker that runs the agent's current activity, once there is one. */
export async function workerOf(agent: Agent): Promise<string> {
  for (;;) {
    const { raw } = await agent.describe();
    const pending = raw.pendingActivities?.find((activity) => activity.lastWorkerIdentity);
    if (pending?.lastWorkerIdentity) return pending.lastWorkerIdentity;
    await delay(POLL_MS);
  }
}
