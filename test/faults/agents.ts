/**
 * Keeps a few agents running. Some visit all workers, and some have one long step. The ledger gets the versions that their
 * steps used.
 */
import { randomUUID } from 'node:crypto';
import { WorkflowFailedError, type WorkflowStartOptions } from '@temporalio/client';
import type { AgentStep, agent, LongAgentInput, longAgent } from './agent-workflow.js';
import type { Ledger } from './ledger.js';
import { keyOf } from './messages.js';
import { untilItWorks } from './parts/patience.js';
import { READERS, type Stage } from './stage.js';

const AGENTS = 3;
const STEPS = 12;
const LONG_AGENTS = 6;
const [SHORTEST_STEP_MS, LONGEST_STEP_MS] = [20_000, 40_000] as const;

/** Runs agents until the signal is aborted. Then those with a long step are ended, and the others end by themselves. */
export async function runAgents(stage: Stage, ledger: Ledger, signal: AbortSignal): Promise<void> {
  const keepRunning = (agents: number, run: (index: number) => Promise<void>) =>
    Array.from({ length: agents }, async (_, index) => {
      while (!signal.aborted) await run(index);
    });
  await Promise.all([
    ...keepRunning(AGENTS, (index) => runAgent(stage, ledger, index)),
    ...keepRunning(LONG_AGENTS, (index) => runLongAgent(stage, ledger, index, signal)),
  ]);
}

async function runAgent(stage: Stage, ledger: Ledger, index: number): Promise<void> {
  const workspaceId = pick(stage.workspaceIds);
  const taskQueues = Array.from({ length: STEPS }, () => pick(READERS));
  await follow(stage, ledger, workspaceId, (client, options) =>
    client.workflow.start<typeof agent>('agent', {
      ...{ ...options, taskQueue: READERS[index % READERS.length] as string, args: [{ workspaceId, taskQueues }] },
    }),
  );
}

async function runLongAgent(stage: Stage, ledger: Ledger, index: number, signal: AbortSignal): Promise<void> {
  const workspaceId = stage.workspaceIds[index] as string;
  const taskQueue = READERS[index % READERS.length] as string;
  const stepMs = Math.round(SHORTEST_STEP_MS + Math.random() * (LONGEST_STEP_MS - SHORTEST_STEP_MS));
  await follow(stage, ledger, workspaceId, async (client, options) => {
    const args: [LongAgentInput] = [{ workspaceId, taskQueue, stepMs }];
    const handle = await client.workflow.start<typeof longAgent>('longAgent', { ...options, taskQueue, args });
    const end = () => void untilItWorks(() => handle.terminate(), AbortSignal.timeout(10_000)).catch(() => {});
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    return handle;
  });
}

type Start = (
  client: ReturnType<Stage['grants']['clientFor']>,
  options: Pick<WorkflowStartOptions, 'workflowId' | 'workflowTaskTimeout' | 'workflowIdConflictPolicy'>,
) => Promise<{ result(): Promise<AgentStep[]> }>;

async function follow({ grants }: Stage, ledger: Ledger, workspaceId: string, start: Start): Promise<void> {
  const workflowId = `agent-${randomUUID()}`;
  const options = { workflowId, workflowTaskTimeout: '2 seconds', workflowIdConflictPolicy: 'USE_EXISTING' } as const;
  const handle = await untilItWorks(() => start(grants.clientFor(workspaceId), options));
  const steps = await untilItWorks(() =>
    handle.result().catch((error: unknown) => {
      if (error instanceof WorkflowFailedError) return [];
      throw error;
    }),
  );
  ledger.workflows.push({
    workflowId,
    steps: steps.map(({ taskQueue, version }) => ({ reader: taskQueue, key: keyOf(workspaceId), version })),
  });
}

function pick<Item>(items: readonly Item[]): Item {
  return items[Math.floor(Math.random() * items.length)] as Item;
}
