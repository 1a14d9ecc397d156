/** When a process warns that its clock and that of Postgres differ. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ClockDifference } from '../../src/fence/clock-difference.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MINUTE_MS = 60_000;

function watched() {
  const warn = vi.fn();
  const { observe } = new ClockDifference(warn);
  /** @param differenceMs - of this machine to Postgres; the answer takes a second */
  const read = (differenceMs: number) =>
    observe({ sentAtMs: differenceMs - 500, receivedAtMs: differenceMs + 500, databaseMs: 0 });
  return { warn, read, observe };
}

test('a clock that is two minutes behind is reported with the difference and its consequence', () => {
  const { warn, read } = watched();
  read(-2 * MINUTE_MS);
  expect(warn.mock.calls).toEqual([
    [expect.stringMatching(/is 120 s behind the clock of Postgres: grants .* are refused .* synchronize both clocks$/)],
  ]);
});

test('a clock that is ahead is reported as such', () => {
  const { warn, read } = watched();
  read(5 * MINUTE_MS);
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('is 300 s ahead of the clock of Postgres'));
});

test('neither a small difference nor a slow answer is reported', () => {
  const { warn, read, observe } = watched();
  read(29_000);
  read(-29_000);
  observe({ sentAtMs: 0, receivedAtMs: 10 * MINUTE_MS, databaseMs: 5 * MINUTE_MS });
  expect(warn).not.toHaveBeenCalled();
});

test('a difference is reported once per hour, and at once when it changes or comes back', () => {
  const { warn, read } = watched();
  for (const differenceMs of [2 * MINUTE_MS, 2 * MINUTE_MS, 2 * MINUTE_MS + 1_000]) read(differenceMs);
  expect(warn).toHaveBeenCalledTimes(1);
  read(4 * MINUTE_MS);
  expect(warn).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(60 * MINUTE_MS);
  read(4 * MINUTE_MS);
  expect(warn).toHaveBeenCalledTimes(3);
  read(0);
  read(4 * MINUTE_MS);
  expect(warn).toHaveBeenCalledTimes(4);
});
