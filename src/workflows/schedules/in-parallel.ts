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
