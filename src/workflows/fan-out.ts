/** Runs many questions: in groups, one child workflow each, if one history cannot hold them all; or a few at a time. */
import { type ChildWorkflowOptions, ParentClosePolicy } from '@temporalio/workflow';

/** This many questions add about a thousand events to a history. */
const WORKERS_PER_WORKFLOW = 200;

/** The children end with the rotation that started them. */
export const CHILD_OPTIONS = { parentClosePolicy: ParentClosePolicy.TERMINATE } satisfies ChildWorkflowOptions;

/**
 * @param here - asks all workers from this workflow, if the fleet is small enough
 * @param byChild - asks one group of a larger fleet, by a child workflow
 */
export async function inGroups<Worker, Answer>(
  workers: readonly Worker[],
  here: (workers: readonly Worker[]) => Promise<readonly Answer[]>,
  byChild: (workers: readonly Worker[]) => Promise<readonly Answer[]>,
): Promise<readonly Answer[]> {
  if (workers.length <= WORKERS_PER_WORKFLOW) return here(workers);
  const count = Math.ceil(workers.length / WORKERS_PER_WORKFLOW);
  const groups = Array.from({ length: count }, (_, index) =>
    workers.slice(index * WORKERS_PER_WORKFLOW, (index + 1) * WORKERS_PER_WORKFLOW),
  );
  return (await Promise.all(groups.map(byChild))).flat();
}

/** Runs `run` for each item, `atOnce` at a time. Returns the answers in the order of the items, or the first error. */
export async function inParallel<Item, Answer>(
  items: readonly Item[],
  atOnce: number,
  run: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  const waiting = items.entries();
  const lanes = Array.from({ length: Math.min(atOnce, items.length) }, async () => {
    for (const [index, item] of waiting) answers[index] = await run(item);
  });
  await Promise.all(lanes);
  return answers;
}
