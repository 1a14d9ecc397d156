/** Rotations in the database: which one of a provider is open, and who asked for it. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import type { StagedRotation } from '../../src/store/rotation-store.js';
import { withSession } from '../support/database.js';
import { stagedLongAgo } from '../support/due.js';
import { useDatabase } from '../support/use-database.js';
import { anyWorkspace, provider, row, sealed } from './rows.js';

const database = useDatabase();

async function stored(identity = provider(anyWorkspace())): Promise<ProviderIdentity> {
  await database.manager.putProvider(identity, row('x'));
  return identity;
}

async function staged(
  identity: ProviderIdentity,
  store = database.manager,
  more: Partial<StagedRotation> = {},
): Promise<string> {
  const rotationId = randomUUID();
  const next = { nextEncryptedConfig: sealed('next'), ...more };
  await store.stageRotation({ rotationId, provider: identity, fromVersion: 1, ...next });
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
    await database.manager.endRotation(rotationId, { state: 'failed', reason: 'a test' });
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

describe('of callers that stage a rotation of one provider at once', () => {
  const startsNow = { startsNow: true };

  test('one wins, and the others are refused, whoever they act as', async () => {
    const identity = await stored();
    const callers = ['ann', 'ben', 'ann', 'rotateDueProviders'].map((actor) => database.manager.actingAs(actor));
    const outcomes = await Promise.allSettled(callers.map((store) => staged(identity, store, startsNow)));
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(refused).toEqual(Array(3).fill(expect.objectContaining({ type: 'RotationInProgress' })));
    expect(await database.manager.listRotations(identity.workspaceId, 10)).toMatchObject([{ state: 'staged' }]);
  });

  test('one that has not started it within a minute gives way', async () => {
    const identity = await stored();
    const first = await staged(identity, database.manager, startsNow);
    await expect(staged(identity, database.manager, startsNow)).rejects.toMatchObject({ type: 'RotationInProgress' });
    await stagedLongAgo(database, first);
    const second = await staged(identity, database.manager, startsNow);
    expect(await database.manager.beginRotation(second, 'a-workflow')).toMatchObject({ fromVersion: 1 });
    await expect(database.manager.beginRotation(first, 'a-workflow')).rejects.toMatchObject({ type: 'RotationFailed' });
  });

  test('one that only stored a credential for later gives way at once', async () => {
    const identity = await stored();
    await staged(identity);
    await staged(identity, database.manager, startsNow);
  });
});

test('a rotation that has ended is not recorded as having reached another stage', async () => {
  const identity = await stored();
  const rotationId = await staged(identity);
  await database.manager.beginRotation(rotationId, 'a-workflow');
  await database.manager.endRotation(rotationId, { abandoned: true });
  await expect(database.manager.advanceRotation(rotationId, 'fenced')).rejects.toMatchObject({
    type: 'RotationFailed',
  });
  const events = (await database.manager.audit.listEvents(identity)).map(({ event }) => event);
  expect(events).toContain('rotation-abandoned');
});

describe('a rotation begins only at the version that it was staged at', () => {
  const changed = 'the rotation did not begin: the provider was changed since it was staged at version 1';

  test.each<[string, (identity: ProviderIdentity) => Promise<unknown>]>([
    ['config and secret are replaced', (identity) => database.manager.putProvider(identity, row('y'))],
    ['the provider is disabled', (identity) => database.manager.setStatus(identity, 'disabled')],
    [
      'the provider is disabled and enabled again',
      async (identity) => {
        await database.manager.setStatus(identity, 'disabled');
        await database.manager.setStatus(identity, 'active');
      },
    ],
    ['the provider is removed', (identity) => database.manager.removeProvider(identity)],
    [
      'the provider is removed and configured again',
      async (identity) => {
        await database.manager.removeProvider(identity);
        await database.manager.putProvider(identity, row('x'));
      },
    ],
    [
      'a service of the workspace changes the config',
      async ({ workspaceId }) => {
        await withSession(database.tenantUrl, async (session) => {
          await session.query(`select set_config('app.workspace_id', $1, false)`, [workspaceId]);
          await session.query(`update workspace_providers set config = '{"note": "z"}'`);
        });
      },
    ],
  ])('and says why not after %s', async (_what, change) => {
    const identity = await stored();
    const rotationId = await staged(identity);
    await change(identity);
    const beginning = database.manager.beginRotation(rotationId, 'a-workflow');
    await expect(beginning).rejects.toMatchObject({ type: 'RotationFailed' });
    await expect(beginning).rejects.toThrow(changed);
    expect(await database.manager.findOpenRotation(identity)).toBeUndefined();
  });

  test('and begins again after it began, for its own workflow only', async () => {
    const identity = await stored();
    const rotationId = await staged(identity);
    const begun = { origin: 'given', fromVersion: 1 };
    expect(await database.manager.beginRotation(rotationId, 'a-workflow')).toEqual(begun);
    await database.manager.setStatus(identity, 'disabled');
    expect(await database.manager.beginRotation(rotationId, 'a-workflow')).toEqual(begun);
    const other = database.manager.beginRotation(rotationId, 'another-workflow');
    await expect(other).rejects.toThrow('belongs to another workflow');
    await database.manager.endRotation(rotationId, { state: 'failed', reason: 'a test' });
    const late = database.manager.beginRotation(rotationId, 'a-workflow');
    await expect(late).rejects.toMatchObject({ type: 'RotationFailed' });
  });

  test('and is not staged for a version that is not the present one', async () => {
    const identity = await stored();
    await database.manager.putProvider(identity, row('y'));
    await expect(staged(identity)).rejects.toMatchObject({ type: 'ProviderChanged', facts: { provider: identity } });
    expect(await database.manager.listRotations(identity.workspaceId, 10)).toEqual([]);
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
