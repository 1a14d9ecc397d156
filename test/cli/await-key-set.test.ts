/** Which workers a revocation waits for, and which it does not. */
import { describe, expect, test } from 'vitest';
import { awaitKeySet, type KeySetWait } from '../../src/cli/await-key-set.js';
import type { RegisteredWorker } from '../../src/store/ports.js';

const NEW = 'aaaa';
const worker = (change: Partial<RegisteredWorker> = {}): RegisteredWorker => ({
  ...{ workerId: 'w', state: 'live', taskQueue: 'q', identity: 'agents-1', build: '1', leaseMs: 60_000 },
  ...{ longestStepMs: 1, renewal: '1', appliedEpoch: 0, grantKeys: NEW, silentMs: 0 },
  ...{ registeredAt: new Date(), heardAt: new Date() },
  ...change,
});

/** Answers one list after the other, the last one again and again. */
const wait = (lists: readonly (readonly RegisteredWorker[])[], change: Partial<KeySetWait> = {}) => {
  let reads = 0;
  const listWorkers = async () => lists[Math.min(reads++, lists.length - 1)] ?? [];
  return awaitKeySet({ listWorkers, revision: async () => NEW, limitMs: 600, ...change });
};
const outcomes = ({ workers }: Awaited<ReturnType<typeof wait>>) => workers.map(({ outcome }) => outcome);

describe('a wait for the key set', () => {
  test.each<[string, RegisteredWorker[], string[]]>([
    ['if nobody runs', [], []],
    ['if all have read it', [worker(), worker({ workerId: 'v' })], ['read', 'read']],
    ['if the others check no grants', [worker({ grantKeys: '' })], ['no-grants']],
    ['if the others have vanished', [worker({ state: 'vanished', grantKeys: 'bbbb' })], []],
  ])('is over at once %s', async (_, workers, expected) => {
    const report = await wait([workers]);
    expect(report).toMatchObject({ complete: true, revision: NEW });
    expect(outcomes(report)).toEqual(expected);
  });

  test('is over when the last worker has read it, or is gone', async () => {
    const older = worker({ grantKeys: 'bbbb' });
    expect(await wait([[older, worker({ workerId: 'v' })], [worker()]])).toMatchObject({ complete: true });
    expect(await wait([[older], []])).toMatchObject({ complete: true, workers: [] });
  });

  test('ends at its limit or when it is interrupted, and lists who uses another set', async () => {
    const older = worker({ grantKeys: 'bbbb', renewal: '1' });
    const renewing = Array.from({ length: 10 }, (_, renewal) => [{ ...older, renewal: String(renewal) }]);
    const ended = [wait(renewing), wait(renewing, { limitMs: 60_000, signal: AbortSignal.timeout(300) })];
    for (const report of await Promise.all(ended)) {
      expect(report).toMatchObject({ complete: false, workers: [{ identity: 'agents-1', outcome: 'waiting' }] });
    }
  });

  test('does not go on for a worker that is silent for its lease, and does for one that renews', async () => {
    const silent = worker({ grantKeys: 'bbbb', leaseMs: 300 });
    expect(outcomes(await wait([[silent]], { limitMs: 5_000 }))).toEqual(['silent']);
    const renewing = Array.from({ length: 10 }, (_, renewal) => [{ ...silent, renewal: String(renewal) }]);
    expect(outcomes(await wait(renewing))).toEqual(['waiting']);
  });

  test('takes a later revocation of the same file for the earlier one', async () => {
    const revisions = ['aaaa', 'cccc'];
    const report = await wait([[worker({ grantKeys: 'bbbb' })], [worker({ grantKeys: 'cccc' })]], {
      revision: async () => revisions.shift() ?? 'cccc',
    });
    expect(report).toMatchObject({ complete: true, revision: 'cccc' });
  });
});
