import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runWithHeartbeat } from '../../src/activities/run-activity.js';
import { inActivity } from './in-activity.js';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A step of that length, in milliseconds, and how often it was heard of. */
async function heartbeatsOf(heartbeatTimeoutMs: number | undefined, lengthMs: number, fails = false): Promise<number> {
  const activity = inActivity({ heartbeatTimeoutMs });
  let heard = 0;
  activity.on('heartbeat', () => {
    heard += 1;
  });
  const step = () =>
    runWithHeartbeat(async () => {
      await vi.advanceTimersByTimeAsync(lengthMs);
      if (fails) throw new Error('a step that fails');
    });
  await activity.run(step).catch(() => undefined);
  const duringTheStep = heard;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(heard, 'after the step has ended').toBe(duringTheStep);
  return duringTheStep;
}

test('a step is heard of three times in each heartbeat timeout, until it ends', async () => {
  expect(await heartbeatsOf(3_000, 9_500)).toBe(9);
});

test('also a step that fails is heard of no more', async () => {
  expect(await heartbeatsOf(3_000, 2_500, true)).toBe(2);
});

test('without a heartbeat timeout nothing is sent', async () => {
  expect(await heartbeatsOf(undefined, 60_000)).toBe(0);
});

test('a step is given the signal that tells of its cancellation', async () => {
  const activity = inActivity();
  const reason = activity.run(() =>
    runWithHeartbeat(async (signal) => {
      expect(signal.aborted).toBe(false);
      activity.cancel();
      return signal.aborted;
    }),
  );
  expect(await reason).toBe(true);
});
