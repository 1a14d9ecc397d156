/**
 * What Temporal knows of the workflow under a rotation's id. It needs a Temporal client of any kind: that of an operator,
 * or that of a running activity.
 */
import type { Client } from '@temporalio/client';
import { ROTATE_PROVIDER, ROTATION_STATUS, type RotationRuns, type RotationStatus } from '../protocol/rotation.js';

/** A query waits for a worker. A running worker answers sooner than this. */
const ANSWER_TIMEOUT_MS = 5_000;

export function rotationRuns(temporal: Client): RotationRuns {
  return {
    async find(workflowId) {
      const found = await unlessNotFound(temporal.workflow.getHandle(workflowId).describe());
      if (found?.status.name !== 'RUNNING') return { state: 'none' };
      if (found.type !== ROTATE_PROVIDER) return { state: 'foreign' };
      const { runId } = found;
      const rotationId = await askRotationId(temporal, workflowId, runId);
      return { state: 'rotation', runId, ...(rotationId !== undefined && { rotationId }) };
    },

    async terminate(workflowId, runId, reason) {
      await unlessNotFound(temporal.workflow.getHandle(workflowId, runId).terminate(reason));
    },
  };
}

async function unlessNotFound<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    // By its name: the class is in a package that this one must not load in a worker.
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return undefined;
    throw error;
  }
}

async function askRotationId(temporal: Client, workflowId: string, runId: string): Promise<string | undefined> {
  const { workflow } = temporal;
  try {
    const ask = () => workflow.getHandle(workflowId, runId).query<RotationStatus, []>(ROTATION_STATUS);
    return (await temporal.withDeadline(Date.now() + ANSWER_TIMEOUT_MS, ask)).rotationId;
  } catch {
    return undefined;
  }
}
