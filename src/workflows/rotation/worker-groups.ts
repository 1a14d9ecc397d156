/** A fleet is asked at once, and one that is too large for a single workflow's history by child workflows. */
import { type ChildWorkflowOptions, ParentClosePolicy } from '@temporalio/workflow';

/** As many questions add about a thousand events to a history. */
const WORKERS_A_WORKFLOW = 200;

/** The children end with the rotation that asks through them. */
export const CHILD_OPTIONS = { parentClosePolicy: ParentClosePolicy.TERMINATE } satisfies ChildWorkflowOptions;

/**
 * @param here - asks a fleet that is small enough
 * @param byChild - asks one group of a larger one
 */
export async function inGroups<Worker, Answer>(
  workers: readonly Worker[],
  here: (workers: readonly Worker[]) => Promise<readonly Answer[]>,
  byChild: (workers: readonly Worker[]) => Promise<readonly Answer[]>,
): Promise<readonly Answer[]> {
  if (workers.length <= WORKERS_A_WORKFLOW) return here(workers);
  const count = Math.ceil(workers.length / WORKERS_A_WORKFLOW);
  const groups = Array.from({ length: count }, (_, index) =>
    workers.slice(index * WORKERS_A_WORKFLOW, (index + 1) * WORKERS_A_WORKFLOW),
  );
  return (await Promise.all(groups.map(byChild))).flat();
}
