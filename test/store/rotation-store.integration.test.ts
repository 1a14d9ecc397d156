/** Rotations in the database: which one of a provider is open, and who asked for it. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import { useDatabase } from '../support/use-database.js';
import { anyWorkspace, provider, row, sealed } from './rows.js';

const database = useDatabase();

async function stored(identity = provider(anyWorkspace())): Promise<ProviderIdentity> {
  await database.manager.putProvider(identity, row('x'));
  return identity;
}

async function staged(identity: ProviderIdentity, store = database.manager): Promise<string> {
  const rotationId = randomUUID();
  await store.stageRotation({ rotationId, provider: identity, nextEncryptedConfig: sealed('next') });
  return rotationId;
}

describe('the open rotation of a provider', () => {
  const open = (identity: ProviderIdentity) => database.manager.findOpenRotation(identity);

  test('is the one that has begun and has not ended', async () => {
    const identity = await stored();
    expect(await open(identity)).toBeUndefined();
    const rotationId = await staged(identity);
    expect(await open(identity), 'only staged').toBeUndefined();
    await database.manager.beginRotation(rotationId, 'a-workflow');
    expect(await open(identity)).toBe(rotationId);
    await database.manager.endRotation(rotationId, 'failed', 'a test');
    expect(await open(identity), 'ended').toBeUndefined();
  });

  test('is found through each stage', async () => {
    const identity = await stored();
    const rotationId = await staged(identity);
    const { manager } = database;
    await manager.beginRotation(rotationId, 'a-workflow');
    await manager.advanceRotation(rotationId, 'checked');
    expect(await open(identity)).toBe(rotationId);
    await manager.activateRotation(rotationId);
    expect(await open(identity)).toBe(rotationId);
    await manager.advanceRotation(rotationId, 'drained');
    expect(await open(identity)).toBe(rotationId);
  });

  test('is not that of another workspace, type or name', async () => {
    const workspaceId = anyWorkspace();
    const identity = await stored(provider(workspaceId));
    const others = [
      provider(anyWorkspace()),
      provider(workspaceId, 'openai'),
      provider(workspaceId, 'anthropic', 'rpc'),
    ];
    for (const other of others) await stored(other);
    await database.manager.beginRotation(await staged(identity), 'a-workflow');
    expect(await Promise.all(others.map(open))).toEqual([undefined, undefined, undefined]);
  });
});

describe('who asked for a rotation', () => {
  const requestedBy = async (rotationId: string, { workspaceId }: ProviderIdentity) =>
    (await database.manager.listRotations(workspaceId, 10)).find((each) => each.rotationId === rotationId)?.requestedBy;

  test('is the name that the caller acts as', async () => {
    const identity = await stored();
    const rotationId = await staged(identity, database.manager.actingAs('user:ana@acme'));
    expect(await requestedBy(rotationId, identity)).toBe('user:ana@acme');
  });

  test('is the login if the caller gives no name', async () => {
    const identity = await stored();
    expect(await requestedBy(await staged(identity), identity)).toBe(login());
  });

  const login = () => new URL(database.managerUrl).username;
});
