/** Replacing the root key, and losing it. */
import { expect, test } from 'vitest';
import { uniqueName } from '../support/parts.js';
import { manageProviders, newRootKey, anthropicOf as provider } from './management.js';

const management = manageProviders();
const [first, second] = [newRootKey('first'), newRootKey('second')];
const clientWith = (...keys: string[]) => management.managerWith(keys.join(','));

const secret = { apiKey: 'canary-root-key-change' };

test('re-wrapping wraps every data key by the new root key, which then is enough to open the secrets [G2]', async () => {
  const old = clientWith(first);
  const workspaceIds = Array.from({ length: 120 }, () => uniqueName('ws'));
  for (const workspaceId of workspaceIds) await old.configureProvider({ ...provider(workspaceId), secret });
  const both = clientWith(second, first);
  expect(await both.rewrapDataKeys()).toEqual({ rewrapped: 120, unchanged: 0, lost: [] });
  expect(await both.rewrapDataKeys()).toEqual({ rewrapped: 0, unchanged: 120, lost: [] });
  const [readable] = await clientWith(second).listProviders(workspaceIds[0] ?? '');
  expect(readable).toMatchObject({ readable: true, version: 1 });
});

test('re-wrapping names a workspace whose root key is lost, which works again after a shred and a new configuration', async () => {
  const workspaceId = uniqueName('ws');
  await clientWith(newRootKey('lost')).configureProvider({ ...provider(workspaceId), secret });
  const client = clientWith(second);
  expect((await client.rewrapDataKeys()).lost).toEqual([workspaceId]);
  const unreadable = { type: 'CredentialUnreadable' };
  await expect(client.configureProvider({ ...provider(workspaceId), secret })).rejects.toMatchObject(unreadable);
  await client.shredWorkspace(workspaceId);
  expect(await client.listProviders(workspaceId)).toMatchObject([{ readable: false }]);
  await client.configureProvider({ ...provider(workspaceId), secret });
  expect(await client.listProviders(workspaceId)).toMatchObject([{ readable: true, version: 2 }]);
});
