/** The checker finds each error that is planted in a history, and nothing in a correct one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { check, describeFindings } from './checker.js';
import { type History, now, ReadRecorder } from './observations.js';

const KEY = 'ws_acme/llm/anthropic';
const at = (ms: number) => BigInt(ms) * 1_000_000n;
const instant = (ms: number) => String(at(ms));

/** `[version, invoked at, returned at]` in ms. */
function reader(name: string, reads: readonly (readonly [number, number, number])[], key = KEY) {
  const recorder = new ReadRecorder(name);
  for (const [version, invoked, returned] of reads) recorder.returned(key, version, at(invoked), at(returned));
  return recorder.report();
}

/**
 * Version 2 is done at 200 ms, version 3 at 300 ms. Reads overlap both changes and return either version, even the
 * older one after the newer one on another worker. One read starts before a change is done, and returns long after it.
 */
const RIGHT: History = {
  readers: [
    reader('worker-1', [
      [1, 10, 11],
      [2, 150, 151],
      [1, 199, 900],
      [2, 299, 301],
      [3, 301, 302],
      [3, 250, 251],
    ]),
    reader('worker-2', [
      [1, 160, 161],
      [2, 200, 200],
      [3, 400, 401],
    ]),
  ],
  workflows: [
    {
      workflowId: 'agent',
      steps: [
        { reader: 'worker-1', key: KEY, version: 1 },
        { reader: 'worker-2', key: 'ws_other/llm/anthropic', version: 3 },
        { reader: 'worker-2', key: KEY, version: 2 },
        { reader: 'worker-1', key: KEY, version: 2 },
      ],
    },
  ],
  changes: [
    { id: 'rotation-1', key: KEY, startedAt: instant(100), endedAt: instant(200), version: 2 },
    { id: 'rotation-2', key: KEY, startedAt: instant(210), endedAt: instant(300), version: 3 },
    { id: 'refused', key: KEY, startedAt: instant(220), endedAt: instant(230) },
  ],
  stored: [{ key: KEY, version: 3 }],
};

const CLEAN = { stale: [], backwards: [], lost: [], unended: [], fromTheFuture: [] };

test('the checker finds nothing in a correct history, and counts its reads', () => {
  const verdict = check(RIGHT);
  expect(verdict).toEqual({ ...CLEAN, reads: 9, failures: {} });
  expect(describeFindings(verdict)).toEqual([]);
});

test.each([
  ['of the version before', [2, 302, 303], { version: 2, done: { id: 'rotation-2', version: 3 }, lateMs: 2 }],
  ['of a much older version', [1, 301, 302], { version: 1, done: { id: 'rotation-1', version: 2 }, lateMs: 101 }],
  ['that started a nanosecond too late', [2, 300.000_001, 301], { version: 2, lateMs: 0.000_001 }],
] as const)('the checker finds a stale read %s among fresh ones', (_, [version, invoked, returned], found) => {
  const recorder = new ReadRecorder('worker-3');
  recorder.returned(KEY, 3, at(400), at(401));
  recorder.returned(KEY, version, BigInt(Math.round(invoked * 1e6)), at(returned));
  recorder.returned(KEY, version, at(250), at(251));
  recorder.returned(KEY, 3, at(500), at(501));
  const verdict = check({ ...RIGHT, readers: [...RIGHT.readers, recorder.report()] });
  expect(verdict).toMatchObject({ ...CLEAN, stale: [{ reader: 'worker-3', key: KEY, ...found }] });
  expect(describeFindings(verdict)[0]).toMatch(/^stale: worker-3 read ws_acme.* ms after rotation-\d/);
});

test('a change makes no read stale if it was never reported as done, or if it is of another key', () => {
  const pending = { id: 'rotation-3', key: KEY, startedAt: instant(310), endedAt: instant(320) };
  const other = { ...RIGHT.changes[1]!, id: 'other', key: 'ws_other/llm/anthropic', version: 9 };
  const stored = [...RIGHT.stored, { key: other.key, version: 9 }];
  expect(check({ ...RIGHT, stored, changes: [...RIGHT.changes, pending, other] })).toMatchObject(CLEAN);
});

test('the checker finds a workflow whose version went back, across workers and other keys', () => {
  const [{ steps }] = RIGHT.workflows as [History['workflows'][number]];
  const workflows = [{ workflowId: 'agent', steps: [...steps, { reader: 'worker-2', key: KEY, version: 1 }] }];
  const verdict = check({ ...RIGHT, workflows });
  expect(verdict).toMatchObject({
    ...CLEAN,
    backwards: [{ step: 4, before: { reader: 'worker-1', version: 2 }, after: { reader: 'worker-2', version: 1 } }],
  });
  expect(describeFindings(verdict)[0]).toMatch(/^backwards: step 4 of agent used ws_acme.*version 1 on worker-2/);
});

test('the checker finds a change that was reported as done and is not stored', () => {
  const older = check({ ...RIGHT, stored: [{ key: KEY, version: 2 }] });
  expect(older).toMatchObject({ ...CLEAN, lost: [{ id: 'rotation-2', version: 3, stored: 2 }] });
  const missing = check({ ...RIGHT, stored: [] });
  expect(missing).toMatchObject({ ...CLEAN, lost: [{ id: 'rotation-1' }, { id: 'rotation-2' }] });
  expect(describeFindings(missing)[1]).toBe(`lost: rotation-2 reported ${KEY} at version 3; its row is missing`);
});

test('a removed provider must be missing, and reads after the removal must find it absent', () => {
  const removal = {
    id: 'removal',
    key: KEY,
    startedAt: instant(500),
    endedAt: instant(600),
    version: 4,
    removed: true,
  };
  const changes = [...RIGHT.changes, removal];
  const absent = reader('worker-3', [
    [3, 600, 601],
    [4, 601, 602],
  ]);
  expect(check({ ...RIGHT, changes, stored: [], readers: [absent] })).toMatchObject(CLEAN);
  const served = reader('worker-3', [[3, 601, 602]]);
  expect(check({ ...RIGHT, changes, stored: [], readers: [served] }).stale).toMatchObject([{ version: 3, lateMs: 1 }]);

  const { version, ...unreported } = removal;
  expect(check({ ...RIGHT, changes: [...RIGHT.changes, unreported], stored: [] })).toMatchObject(CLEAN);
  const readded = { ...RIGHT.changes[1]!, id: 'added again', startedAt: instant(610), version: version + 1 };
  expect(check({ ...RIGHT, changes: [...changes, readded], stored: [] }).lost).toMatchObject([{ id: 'added again' }]);
});

test('the checker finds a rotation that never ended', () => {
  const changes = [...RIGHT.changes, { id: 'rotation-3', key: KEY, startedAt: instant(310) }];
  expect(check({ ...RIGHT, changes })).toMatchObject({ ...CLEAN, unended: [{ id: 'rotation-3', key: KEY }] });
});

test('the checker finds times of different clocks', () => {
  const early = reader('worker-3', [[3, 100, 110]]);
  const verdict = check({ ...RIGHT, changes: RIGHT.changes.slice(0, 2), readers: [early] });
  expect(verdict).toMatchObject({ ...CLEAN, fromTheFuture: [{ version: 3, earlyMs: 100 }] });
});

test('a report of millions of reads has a few kB, and counts all of them', () => {
  const recorder = new ReadRecorder('busy');
  for (let read = 0; read < 3_000_000; read += 1)
    recorder.returned(KEY, 1 + (read >> 16), BigInt(read), BigInt(read + 1));
  for (let failure = 0; failure < 3; failure += 1) recorder.failed('StoreUnavailable');
  const report = recorder.report();
  expect(JSON.stringify(report).length).toBeLessThan(10_000);
  const verdict = check({ ...RIGHT, changes: [], readers: [report, report] });
  expect(verdict).toMatchObject({ reads: 6_000_000, failures: { StoreUnavailable: 6 } });
});

test('processes of one host share the clock, and can exchange reports without loss', async () => {
  const script = "process.once('message', (m) => process.send([m, String(process.hrtime.bigint())]))";
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const before = now();
  child.send(RIGHT);
  const [[history, theirs]] = (await once(child, 'message')) as [[History, string]];
  expect(history).toEqual(RIGHT);
  expect(BigInt(theirs)).toBeGreaterThan(BigInt(before));
  expect(BigInt(theirs)).toBeLessThan(BigInt(now()));
});
