/** Agents of a fault run: their steps go round all workers, and each tells which version it used. */
import { sleep } from '@temporalio/workflow';
import { llmStep, resolveLlmKey, type StepOptions } from '../../src/workflow.js';

export interface AgentInput {
  readonly workspaceId: string;
  /** Of the workers, in the order in which they are asked; one a step. */
  readonly taskQueues: readonly string[];
}

export interface AgentStep {
  readonly taskQueue: string;
  readonly version: number;
}

/** A worker that was killed is noticed soon. */
const PATIENCE = {
  startToCloseTimeout: '10 seconds',
  heartbeatTimeout: '2 seconds',
  scheduleToCloseTimeout: '1 minute',
  retry: { initialInterval: '100 ms', maximumInterval: '1 second' },
} satisfies StepOptions;

/** @returns the steps until one failed for good, as one does whose provider is disabled */
export async function agent({ workspaceId, taskQueues }: AgentInput): Promise<AgentStep[]> {
  const steps: AgentStep[] = [];
  try {
    for (const taskQueue of taskQueues) {
      const ref = await resolveLlmKey({ workspaceId, provider: 'anthropic' }, PATIENCE);
      const { provider } = await llmStep({ ref, prompt: `For ${workspaceId}.` }, { ...PATIENCE, taskQueue });
      steps.push({ taskQueue, version: provider.version });
      await sleep(100);
    }
  } catch {
    // What was used until then is what counts.
  }
  return steps;
}
