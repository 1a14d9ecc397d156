/** How often a worker logs that grants were refused. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { GrantRefusal } from '../../src/grants/grant-refusal.js';
import { Observer } from '../../src/observer/observer.js';
import { RefusalLog } from '../../src/plugin/refusal-log.js';

const UNKNOWN_KEY: GrantRefusal = { cause: 'unknown key', message: 'its key is not known', facts: { keyId: 'k' } };
const REVOKED: GrantRefusal = { cause: 'revoked', message: 'it was revoked', facts: { grantId: 'g' } };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('each cause is logged once per minute, with the number of refusals that were not logged', () => {
  const warn = vi.fn();
  const refusals = new RefusalLog(Observer.none);
  const refuse = (refusal: GrantRefusal) => refusals.warn({ warn } as never, 'workspace', refusal);
  for (let times = 0; times < 3; times += 1) refuse(UNKNOWN_KEY);
  refuse(REVOKED);
  expect(warn.mock.calls).toEqual([
    ['a workspace grant was refused: its key is not known', { keyId: 'k' }],
    ['a workspace grant was refused: it was revoked', { grantId: 'g' }],
  ]);
  vi.advanceTimersByTime(60_001);
  refuse(UNKNOWN_KEY);
  expect(warn).toHaveBeenLastCalledWith(expect.anything(), { keyId: 'k', refusedSinceLastLog: 2 });
});
