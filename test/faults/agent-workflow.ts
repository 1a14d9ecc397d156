/** Agents of a fault run: their steps visit all workers in turn, and each returns the version that it used. */
import { proxyActivities, sleep } from '@temporalio/workflow';
import { llmStep, resolveLlmKey, type StepOptions } from '../../src/workflow.js';
import type { LongSteps } from './long-steps.js';

export interface AgentInput {
  readonly workspaceId: string;
  /** The task queues of the workers, in the order of the steps; one per step. */
  readonly taskQueues: readonly string[];
}

export interface LongAgentInput {
  readonly workspaceId: string;
  readonly taskQueue: string;
  /** How long its step makes requests. */
  readonly stepMs: number;
}

export interface AgentStep {
  readonly taskQueue: string;
  readonly version: number;
}

/** Short, so that a killed worker is noticed soon. */
const PATIENCE = {
  startToCloseTimeout: '10 seconds',
  heartbeatTimeout: '2 seconds',
  scheduleToCloseTimeout: '1 minute',
  retry: { initialInterval: '100 ms', maximumInterval: '1 second' },
} satisfies StepOptions;

/** @returns the steps until one failed permanently, for example because its provider was disabled */
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
    // The steps until then are the result.
  }
  return steps;
}

/** @returns the first and the last version that the requests of its one step had; none if the step failed for good */
export async function longAgent({ workspaceId, taskQueue, stepMs }: LongAgentInput): Promise<AgentStep[]> {
  const { longStep } = proxyActivities<Pick<LongSteps, 'longStep'>>({
    ...{ ...PATIENCE, taskQueue, startToCloseTimeout: stepMs + 20_000, scheduleToCloseTimeout: stepMs + 60_000 },
  });
  try {
    const ref = await resolveLlmKey({ workspaceId, provider: 'anthropic' }, PATIENCE);
    const versions = await longStep({ ref, stepMs });
    return [ref.version, ...versions].map((version) => ({ taskQueue, version }));
  } catch {
    return [];
  }
}
