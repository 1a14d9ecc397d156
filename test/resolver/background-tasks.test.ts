/** The background tasks of a process, from its start to its end: for its own cache and for rows of other workers. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startBackgroundTasks } from '../../src/resolver/background-tasks.js';

const LEASE_MS = 1_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('background tasks sweep the cache once per lease', async () => {
  const sweep = vi.fn();
  const end = startBackgroundTasks(LEASE_MS, sweep, { look: async () => 1 });
  await vi.advanceTimersByTimeAsync(5 * LEASE_MS);
  expect(sweep).toHaveBeenCalledTimes(5);
  end();
});

it('background tasks look for vanished workers at once, and then less often the more workers there are', async () => {
  const looksOf = async (rows: number) => {
    const look = vi.fn(async () => rows);
    const end = startBackgroundTasks(LEASE_MS, () => {}, { look });
    expect(look).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1_000 * LEASE_MS);
    end();
    return look.mock.calls.length;
  };
  const alone = await looksOf(1);
  const amongTen = await looksOf(10);
  expect(alone).toBeGreaterThan(550);
  expect(alone).toBeLessThan(800);
  expect(amongTen).toBeGreaterThan(120);
  expect(amongTen).toBeLessThan(230);
});

it('background tasks look again after a failed look', async () => {
  const look = vi.fn(() => Promise.reject(new Error('away')));
  const end = startBackgroundTasks(LEASE_MS, () => {}, { look });
  await vi.advanceTimersByTimeAsync(10 * LEASE_MS);
  expect(look.mock.calls.length).toBeGreaterThan(3);
  end();
});

it('background tasks do nothing after they ended, even if a look was in progress', async () => {
  let answer = (_: number) => {};
  const look = vi.fn(() => new Promise<number>((resolve) => (answer = resolve)));
  const sweep = vi.fn();
  const end = startBackgroundTasks(LEASE_MS, sweep, { look });
  end();
  answer(1);
  await vi.advanceTimersByTimeAsync(10 * LEASE_MS);
  expect([look.mock.calls.length, sweep.mock.calls.length, vi.getTimerCount()]).toEqual([1, 0, 0]);
});
