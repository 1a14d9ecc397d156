/** How long a load may take while renewals fail. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LoadLimit } from '../../src/fence/load-limit.js';

let limit: LoadLimit;

beforeEach(() => {
  vi.useFakeTimers();
  limit = new LoadLimit();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** A load without an answer. */
function load() {
  return limit
    .run((signal) => new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject('given up'))))
    .catch((error: unknown) => error);
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  return (await Promise.race([promise, vi.advanceTimersByTimeAsync(0).then(() => 'pending')])) === 'pending';
}

it('a load has no limit while renewals are answered', async () => {
  limit.onRenewal(true);
  const controller = new AbortController();
  const done = limit.run(() => new Promise((resolve) => controller.signal.addEventListener('abort', resolve)));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await isPending(done)).toBe(true);
  controller.abort();
  await done;
});

it('a load that begins while renewals fail is given up after a second', async () => {
  limit.onRenewal(false);
  const loading = load();
  await vi.advanceTimersByTimeAsync(999);
  expect(await isPending(loading)).toBe(true);
  await vi.advanceTimersByTimeAsync(1);
  expect(await loading).toBe('given up');
});

it('a load that was sent before is given up a second after the first renewal that failed', async () => {
  const loading = load();
  await vi.advanceTimersByTimeAsync(5_000);
  limit.onRenewal(false);
  await vi.advanceTimersByTimeAsync(500);
  limit.onRenewal(false);
  await vi.advanceTimersByTimeAsync(500);
  expect(await loading).toBe('given up');
});

it('a load continues if a renewal was answered meanwhile', async () => {
  limit.onRenewal(false);
  const loading = load();
  await vi.advanceTimersByTimeAsync(500);
  limit.onRenewal(true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await isPending(loading)).toBe(true);
  limit.onRenewal(false);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await loading).toBe('given up');
});
