/** The root key replaced, and lost, by an operator. */
import { expect, it } from 'vitest';
import { uniqueName } from '../../support/parts.js';
import { CANARY, documentOf, newRootKey, operator } from '../operator.js';

const op = operator();

it('rewrap says what it wrapped anew, and ends with 4 where a root key is missing', async () => {
  const workspaceId = uniqueName('ws');
  await op.configured(workspaceId, 'mine', CANARY);
  const next = newRootKey().replace('test:', 'next:');
  const both = { ENCRYPTION_KEY: `${next},${op.env.ENCRYPTION_KEY}` };
  expect(await op.run(['rewrap'], { env: both })).toMatchObject({
    exitCode: 0,
    stdout: '✔ rewrapped   1 data keys · 0 did not need it\n',
  });
  const withoutIt = await op.run(['rewrap', '--json']);
  expect(withoutIt.exitCode).toBe(4);
  expect(documentOf(withoutIt)).toEqual({ rewrapped: 0, unchanged: 0, lost: [workspaceId] });
});

it('shred makes all that a workspace stored unreadable, for nobody unasked and for no other workspace [G2]', async () => {
  const [workspaceId, other] = [uniqueName('ws'), uniqueName('ws')];
  await op.configured(workspaceId, 'mine', CANARY);
  await op.configured(other, 'mine', CANARY);
  const listed = async (id: string) => documentOf(await op.run(['list', id, '--json'])).providers;

  const unasked = await op.run(['shred', workspaceId]);
  expect(unasked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') });
  expect(await listed(workspaceId)).toMatchObject([{ readable: true }]);

  const shredded = documentOf(await op.run(['shred', workspaceId, '--yes', '--json']));
  expect(shredded).toMatchObject({ workspaceId, shredded: true, fence: { workers: [] } });
  expect(await listed(workspaceId)).toMatchObject([{ readable: false }]);
  expect(await listed(other)).toMatchObject([{ readable: true }]);
});
