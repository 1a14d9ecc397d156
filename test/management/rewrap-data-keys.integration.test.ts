/** Replacing the root key, and losing it. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PUBLIC_EGRESS } from '../../src/egress/policy.js';
import { ProviderClient } from '../../src/management/provider-client.js';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { uniqueName } from '../support/parts.js';

let database: TestDatabase;
const clients: ProviderClient[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await database?.drop();
});

const rootKey = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const [first, second] = [rootKey('first'), rootKey('second')];

function clientWith(...keys: string[]): ProviderClient {
  const rootKeyring = parseLocalKeyring(keys.join(','));
  const client = ProviderClient.open({
    ...{ database: { databaseUrl: database.managerUrl }, rootKeyring, egress: PUBLIC_EGRESS },
  });
  clients.push(client);
  return client;
}

const provider = (workspaceId: string) => ({ workspaceId, type: 'llm', name: 'anthropic' });
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
  await clientWith(rootKey('lost')).configureProvider({ ...provider(workspaceId), secret });
  const client = clientWith(second);
  expect((await client.rewrapDataKeys()).lost).toEqual([workspaceId]);
  const unreadable = { type: 'CredentialUnreadable' };
  await expect(client.configureProvider({ ...provider(workspaceId), secret })).rejects.toMatchObject(unreadable);
  await client.shredWorkspace(workspaceId);
  expect(await client.listProviders(workspaceId)).toMatchObject([{ readable: false }]);
  await client.configureProvider({ ...provider(workspaceId), secret });
  expect(await client.listProviders(workspaceId)).toMatchObject([{ readable: true, version: 2 }]);
});
