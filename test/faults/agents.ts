/** Keeps a few agents running. Each visits all workers, and the ledger gets the versions that its steps used. */
import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import type { agent } from './agent-workflow.js';
import type { Ledger } from './ledger.js';
import { keyOf } from './messages.js';
import { untilItWorks } from './parts/patience.js';
import { READERS, type Stage } from './stage.js';

const AGENTS = 3;
const STEPS = 12;

/** Runs agents until the signal is aborted, and returns once the running ones have ended. */
export async function runAgents(stage: Stage, ledger: Ledger, signal: AbortSignal): Promise<void> {
  const rows = Array.from({ length: AGENTS }, async (_, index) => {
    while (!signal.aborted) await runAgent(stage, ledger, index);
  });
  await Promise.all(rows);
}

async function runAgent({ grants, workspaceIds }: Stage, ledger: Ledger, index: number): Promise<void> {
  const workspaceId = workspaceIds[Math.floor(Math.random() * workspaceIds.length)] as string;
  const taskQueues = Array.from({ length: STEPS }, () => READERS[Math.floor(Math.random() * READERS.length)] as string);
  const workflowId = `agent-${randomUUID()}`;
  const handle = await untilItWorks(() =>
    grants.clientFor(workspaceId).workflow.start<typeof agent>('agent', {
      ...{ workflowId, taskQueue: READERS[index % READERS.length] as string, args: [{ workspaceId, taskQueues }] },
      ...{ workflowTaskTimeout: '2 seconds', workflowIdConflictPolicy: 'USE_EXISTING' },
    }),
  );
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
