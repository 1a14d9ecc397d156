import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runWithHeartbeat } from '../../src/activities/run-activity.js';
import { inActivity } from './in-activity.js';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Runs a step of the given length, in milliseconds. Returns the number of heartbeats that it sent. */
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

test('a step sends three heartbeats per heartbeat timeout until it ends', async () => {
  expect(await heartbeatsOf(3_000, 9_500)).toBe(9);
});

test('a step that fails stops sending heartbeats', async () => {
  expect(await heartbeatsOf(3_000, 2_500, true)).toBe(2);
});

test('a step without a heartbeat timeout sends no heartbeats', async () => {
  expect(await heartbeatsOf(undefined, 60_000)).toBe(0);
});

test('a step gets a signal that is aborted when the activity is cancelled', async () => {
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
