/** That a process looks after what it holds and after rows of others, from its start to its end. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startBackgroundTasks } from '../../src/resolver/background-tasks.js';

const LEASE_MS = 1_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('sweeps once a lease', async () => {
  const sweep = vi.fn();
  const end = startBackgroundTasks(LEASE_MS, sweep, { look: async () => 1 });
  await vi.advanceTimersByTimeAsync(5 * LEASE_MS);
  expect(sweep).toHaveBeenCalledTimes(5);
  end();
});

it('looks at once, and then the less often the more workers there are to look', async () => {
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

it('goes on looking after a failure', async () => {
  const look = vi.fn(() => Promise.reject(new Error('away')));
  const end = startBackgroundTasks(LEASE_MS, () => {}, { look });
  await vi.advanceTimersByTimeAsync(10 * LEASE_MS);
  expect(look.mock.calls.length).toBeGreaterThan(3);
  end();
});

it('once ended does nothing more, not even after the look that was under way', async () => {
  let answer = (_: number) => {};
  const look = vi.fn(() => new Promise<number>((resolve) => (answer = resolve)));
  const sweep = vi.fn();
  const end = startBackgroundTasks(LEASE_MS, sweep, { look });
  end();
  answer(1);
  await vi.advanceTimersByTimeAsync(10 * LEASE_MS);
  expect([look.mock.calls.length, sweep.mock.calls.length, vi.getTimerCount()]).toEqual([1, 0, 0]);
});
