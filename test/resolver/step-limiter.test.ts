import { describe, expect, test } from 'vitest';
import { StepLimiter } from '../../src/resolver/step-limiter.js';

const NEVER = new AbortController().signal;
const TOO_MANY = { type: 'ProviderRateLimited', retryable: true };

/** A step that runs until it is ended. */
function step() {
  let end = () => {};
  let hasBegun = false;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const run = () => {
    hasBegun = true;
    return ended;
  };
  return { run, end: () => end(), hasBegun: () => hasBegun };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('the steps of one workspace', () => {
  test('run at the same time up to the limit; as many wait in order, and the others fail, retryable [G23]', async () => {
    const limiter = new StepLimiter(2);
    const steps = Array.from({ length: 4 }, step);
    const running = steps.map(({ run }) => limiter.run('ws_slow', NEVER, run));
    await settled();
    expect(steps.map(({ hasBegun }) => hasBegun())).toEqual([true, true, false, false]);
    await expect(limiter.run('ws_slow', NEVER, async () => {})).rejects.toMatchObject(TOO_MANY);
    steps[1]?.end();
    await running[1];
    await settled();
    expect(steps.map(({ hasBegun }) => hasBegun())).toEqual([true, true, true, false]);
    for (const { end } of steps) end();
    await Promise.all(running);
  });

  test('do not keep the steps of other workspaces from starting [G23]', async () => {
    const limiter = new StepLimiter(1);
    const slow = step();
    const running = limiter.run('ws_slow', NEVER, slow.run);
    expect(await limiter.run('ws_other', NEVER, async () => 'answer')).toBe('answer');
    slow.end();
    await running;
  });

  test('wait only for a bounded time [G23]', async () => {
    const limiter = new StepLimiter(1, 50);
    const slow = step();
    const running = limiter.run('ws_slow', NEVER, slow.run);
    await expect(limiter.run('ws_slow', NEVER, async () => {})).rejects.toMatchObject(TOO_MANY);
    slow.end();
    await running;
    expect(await limiter.run('ws_slow', NEVER, async () => 'next')).toBe('next');
  });

  test('that fail, throw or are cancelled while they wait give their turn back', async () => {
    const limiter = new StepLimiter(1);
    await expect(limiter.run('ws_acme', NEVER, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    const thrower = () => {
      throw new Error('thrown');
    };
    await expect(limiter.run('ws_acme', NEVER, thrower)).rejects.toThrow('thrown');
    const slow = step();
    const running = limiter.run('ws_acme', NEVER, slow.run);
    const cancel = new AbortController();
    const waiting = limiter.run('ws_acme', cancel.signal, async () => {});
    cancel.abort(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
    slow.end();
    await running;
    expect(await limiter.run('ws_acme', NEVER, async () => 'next')).toBe('next');
  });

  test('within a step need no second turn', async () => {
    const limiter = new StepLimiter(1);
    const inner = () => limiter.run('ws_acme', NEVER, async () => 'inner');
    expect(await limiter.run('ws_acme', NEVER, () => limiter.run('ws_other', NEVER, inner))).toBe('inner');
  });
});
