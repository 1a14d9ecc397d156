/** An operator replaces the root key, and shreds the data keys of a workspace. */
import { expect, it } from 'vitest';
import { uniqueName } from '../../support/parts.js';
import { CANARY, documentOf, newRootKey, operator } from '../operator.js';

const op = operator();

it('rewrap reports how many data keys it wrapped again, and exits with 4 if a root key is missing', async () => {
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

it('shred asks first, and makes all secrets of one workspace, and of no other, unreadable [G2]', async () => {
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
