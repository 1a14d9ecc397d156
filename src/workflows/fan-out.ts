/** Many questions at a time: in groups, each by a child workflow if one history cannot hold them; or a few at once. */
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
/** Each item in turn, at most `atOnce` at once; the answers in the order of the items. Where one throws, all end. */
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
