import { describe, expect, test, vi } from 'vitest';

vi.mock('@temporalio/workflow', () => ({ ParentClosePolicy: { TERMINATE: 'TERMINATE' } }));

const { inTurns } = await import('../../src/workflows/fan-out.js');

interface Item {
  readonly group: string;
  readonly number: number;
}

const groupOf = ({ group }: Item) => group;
const items = (group: string, count: number): Item[] =>
  Array.from({ length: count }, (_, number) => ({ group, number }));

describe('items of groups that are run in turns', () => {
  test('of a group whose items never end do not keep the others waiting [G23]', async () => {
    const ended: string[] = [];
    let hanging = 0;
    const run = async ({ group }: Item) => {
      if (group !== 'ws_slow') return void ended.push(group);
      hanging += 1;
      return new Promise<void>(() => {});
    };
    const all = [...items('ws_slow', 50), ...items('ws_b', 3), ...items('ws_c', 3)];
    void inTurns(all, 5, groupOf, run);
    await vi.waitFor(() => expect(ended).toHaveLength(6));
    expect(hanging, 'half of the lanes, rounded up').toBe(3);
  });

  test('start with one of each group', async () => {
    const started: string[] = [];
    const run = async ({ group, number }: Item) => started.push(`${group}${number}`);
    await inTurns([...items('a', 3), ...items('b', 2), ...items('c', 1)], 1, groupOf, run);
    expect(started).toEqual(['a0', 'b0', 'c0', 'a1', 'b1', 'a2']);
  });

  test.each([0, 1, 4, 5, 100])('are all run, and no more at once than allowed: %i items', async (count) => {
    let running = 0;
    let most = 0;
    const run = async ({ number }: Item) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return number;
    };
    const answers = await inTurns(items('a', count), 4, groupOf, run);
    expect(answers.sort((a, b) => a - b)).toEqual(items('a', count).map(({ number }) => number));
    expect(most).toBeLessThanOrEqual(2);
  });

  test('end with the first error', async () => {
    const failing = inTurns(items('a', 3), 5, groupOf, () => Promise.reject(new Error('failed')));
    await expect(failing).rejects.toThrow('failed');
  });
});
