/** How reads of single workspaces share statements. The tests answer the statements by hand. */
import { beforeEach, expect, it } from 'vitest';
import { BatchedReads } from '../../src/store/batched-reads.js';
import type { WorkspaceSnapshot } from '../../src/store/ports.js';

interface Sent {
  readonly workspaceIds: readonly string[];
  readonly signal: AbortSignal | undefined;
  answer(): void;
  fail(error: Error): void;
}

let sent: Sent[];
let reads: BatchedReads;

beforeEach(() => {
  sent = [];
  reads = new BatchedReads(
    (workspaceIds, signal) =>
      new Promise((resolve, fail) => {
        sent.push({ workspaceIds, signal, fail, answer: () => resolve(workspaceIds.map(snapshotOf)) });
      }),
  );
});

/** Each workspace has its own epoch, so that a mixed-up answer shows. */
function snapshotOf(workspaceId: string): WorkspaceSnapshot {
  return { epoch: Number(workspaceId.slice(3)), dataKeys: [], providers: [] };
}

const readAll = (count: number, signal?: AbortSignal) =>
  Array.from({ length: count }, (_, index) => reads.read(`ws_${index}`, signal));
const turn = () => new Promise(setImmediate);

it('a read is sent at once, by itself, while few statements are under way', async () => {
  const all = readAll(4);
  expect(sent.map(({ workspaceIds }) => workspaceIds)).toEqual([['ws_0'], ['ws_1'], ['ws_2'], ['ws_3']]);
  for (const { answer } of sent) answer();
  await Promise.all(all);
});

it('further reads share the next statement, and each gets the answer for its workspace', async () => {
  const all = readAll(50);
  expect(sent).toHaveLength(4);
  sent[2]?.answer();
  await turn();
  expect(sent.at(-1)?.workspaceIds).toEqual(Array.from({ length: 20 }, (_, index) => `ws_${index + 4}`));
  for (let answered = 0; answered < sent.length; answered += 1) {
    sent[answered]?.answer();
    await turn();
  }
  expect((await Promise.all(all)).map(({ epoch }) => epoch)).toEqual(Array.from({ length: 50 }, (_, index) => index));
  expect(sent).toHaveLength(7);
});

it('a statement that fails does so for its own reads, and the next ones are sent', async () => {
  const all = readAll(5);
  sent[0]?.fail(new Error('away'));
  await expect(all[0]).rejects.toThrow('away');
  await turn();
  expect(sent[4]?.workspaceIds).toEqual(['ws_4']);
  for (const { answer } of sent) answer();
  expect((await Promise.all(all.slice(1))).map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
});

it('a batch is aborted with any of its reads', async () => {
  const first = readAll(4);
  const controllers = [new AbortController(), new AbortController()];
  const batch = controllers.map(({ signal }, index) => reads.read(`ws_${index}`, signal));
  for (const { answer } of sent) answer();
  await turn();
  expect(sent[4]?.signal?.aborted).toBe(false);
  controllers[1]?.abort();
  expect(sent[4]?.signal?.aborted).toBe(true);
  sent[4]?.answer();
  await Promise.all([...first, ...batch]);
});
