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

/**
 * Runs `run` for each item, `atOnce` at a time. It takes one item of each group in turn, and never more than half of
 * `atOnce` of the same group: a group that is slow does not keep the others waiting.
 *
 * @returns the answers, in the order in which they came
 */
export async function inTurns<Item, Answer>(
  items: readonly Item[],
  atOnce: number,
  groupOf: (item: Item) => string,
  run: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(groupOf(item), [...(groups.get(groupOf(item)) ?? []), item]);
  const perGroup = Math.ceil(atOnce / 2);
  const running = new Map<string, number>();
  const answers: Answer[] = [];
  const next = () => {
    const found = [...groups].find(([group]) => (running.get(group) ?? 0) < perGroup);
    if (!found) return undefined;
    const [group, [item, ...rest]] = found;
    // To the end of the line: the other groups are next.
    groups.delete(group);
    if (rest.length > 0) groups.set(group, rest);
    return { group, item: item as Item };
  };
  const ended = new Set<Promise<void>>();
  const start = ({ group, item }: { group: string; item: Item }) => {
    running.set(group, (running.get(group) ?? 0) + 1);
    const end: Promise<void> = run(item).then((answer) => {
      answers.push(answer);
      running.set(group, (running.get(group) ?? 1) - 1);
      ended.delete(end);
    });
    ended.add(end);
  };
  while (groups.size > 0 || ended.size > 0) {
    const turn = ended.size < atOnce ? next() : undefined;
    if (turn) start(turn);
    else await Promise.race(ended);
  }
  return answers;
}
