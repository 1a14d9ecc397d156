/** A step that takes too long ends by itself, with a failure that has a type. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { activity } from '../../src/activities/run-activity.js';
import { toProviderError } from '../support/built-in-types.js';
import { inActivity } from './in-activity.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const MINUTE = 60_000;
const model = { workspaceId: 'ws_acme', type: 'llm', name: 'anthropic' };

/** Runs a step that waits for its signal, as a call to a service does. */
function waiting(startToCloseTimeoutMs: number, attempt = 1) {
  const step = activity('aStep', z.object({}), (_input, signal) => {
    const aborted = new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(toProviderError(signal.reason, model) ?? signal.reason));
    });
    return aborted;
  });
  const environment = inActivity({ startToCloseTimeoutMs, attempt });
  const ended = environment.run(step, {}).catch((error: unknown) => error);
  return { environment, ended };
}

describe('a step', () => {
  test('ends five seconds before the time-out of Temporal, as ProviderUnavailable', async () => {
    const { ended } = waiting(10 * MINUTE);
    await vi.advanceTimersByTimeAsync(10 * MINUTE - 5_000);
    expect(await ended).toMatchObject({
      type: 'ProviderUnavailable',
      nonRetryable: false,
      message: expect.stringContaining('did not answer in time'),
      details: [{ provider: model }],
    });
  });

  test('is not ended before that, and a short time-out is left to Temporal', async () => {
    const { environment, ended } = waiting(10 * MINUTE);
    const short = waiting(9_000);
    let isEnded = false;
    void Promise.race([ended, short.ended]).then(() => {
      isEnded = true;
    });
    await vi.advanceTimersByTimeAsync(10 * MINUTE - 5_001);
    expect(isEnded).toBe(false);
    environment.cancel();
    short.environment.cancel();
    expect(await ended).toMatchObject({ name: 'CancelledFailure' });
  });

  test('leaves no timer behind', async () => {
    const step = activity('aStep', z.object({}), async () => 'done');
    await inActivity({ startToCloseTimeoutMs: MINUTE }).run(step, {});
    expect(vi.getTimerCount()).toBe(0);
  });
});
