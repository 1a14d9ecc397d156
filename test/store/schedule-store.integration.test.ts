/** What schedules ask of the store: pages over every workspace, and events that are raised only once. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { prepareDueRotation } from '../../src/management/due-rotation.js';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import type { ListedProvider } from '../../src/protocol/schedules.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';
import type { ManagementStore } from '../../src/store/management-store.js';
import { withSession } from '../support/database.js';
import { pastDue, stagedLongAgo } from '../support/due.js';
import { useDatabase } from '../support/use-database.js';
import { anyWorkspace, provider, row, sealed } from './rows.js';

const database = useDatabase();
let store: ManagementStore;
beforeAll(() => {
  store = database.manager;
});

async function stored(identity = provider(anyWorkspace())): Promise<ProviderIdentity> {
  await store.putProvider(identity, row('x'));
  return identity;
}

async function due(identity?: ProviderIdentity): Promise<ProviderIdentity> {
  const there = await stored(identity);
  await store.setRotationInterval(there, '30 days');
  await pastDue(database, there);
  return there;
}

/** The due rotations of one workspace. */
const listDue = async ({ workspaceId }: ProviderIdentity) =>
  (await store.listDueRotations({ limit: 1_000 })).filter((each) => each.provider.workspaceId === workspaceId);

const stageDue = (identity: ProviderIdentity, canBeIssued = false) =>
  store.stageDueRotation({ rotationId: randomUUID(), provider: identity, canBeIssued, requestedBy: 'a test' });

const stageByHand = async (identity: ProviderIdentity, startsNow = false) => {
  const rotationId = randomUUID();
  const nextEncryptedConfig = sealed('next');
  await store.stageRotation({ rotationId, provider: identity, fromVersion: 1, nextEncryptedConfig, startsNow });
  return rotationId;
};

describe('a rotation is due', () => {
  test('only after its interval has passed since the credential was replaced', async () => {
    const identity = await stored();
    await pastDue(database, identity);
    expect(await listDue(identity), 'never due without an interval').toEqual([]);
    await store.setRotationInterval(identity, '30 days');
    expect(await listDue(identity)).toEqual([{ provider: identity, version: 1, turn: 1 }]);
    await store.setRotationInterval(identity, '32 days');
    expect(await listDue(identity)).toEqual([]);
    await store.setRotationInterval(identity, undefined);
    expect(await listDue(identity)).toEqual([]);
  });

  test('no longer after the credential was replaced', async () => {
    const identity = await due();
    await store.putProvider(identity, row('y'));
    expect(await listDue(identity)).toEqual([]);
  });

  test('neither while the provider is disabled nor while a rotation is in progress', async () => {
    const [off, rotating] = [await due(), await due()];
    await store.setStatus(off, 'disabled');
    const rotationId = await stageByHand(rotating);
    expect(await listDue(rotating), 'only staged').toHaveLength(1);
    await store.beginRotation(rotationId, 'a-workflow');
    expect([await listDue(off), await listDue(rotating)]).toEqual([[], []]);
    await store.endRotation(rotationId, { state: 'failed', reason: 'a test' });
    expect(await listDue(rotating)).toHaveLength(1);
  });

  test('only by a valid interval of a provider that exists; others are refused', async () => {
    const identity = await stored();
    for (const rotateEvery of ['soon', '0 days', '-1 days', '101 years']) {
      await expect(store.setRotationInterval(identity, rotateEvery)).rejects.toMatchObject({
        type: 'ProviderConfigInvalid',
      });
    }
    await expect(store.setRotationInterval(provider(anyWorkspace()), '1 day')).rejects.toMatchObject({
      type: 'ProviderNotConfigured',
    });
  });
});

test('pages list each provider once, and the workspaces in turn [G23]', async () => {
  const workspaces = [anyWorkspace(), anyWorkspace()].sort();
  const turns = [
    ...workspaces.map((workspaceId) => provider(workspaceId, 'anthropic')),
    ...workspaces.map((workspaceId) => provider(workspaceId, 'openai')),
    ...workspaces.map((workspaceId) => provider(workspaceId, 'a-node', 'rpc')),
  ];
  for (const identity of turns) await due(identity);
  const many = anyWorkspace();
  for (let number = 100; number < 120; number += 1) await due(provider(many, `a-${number}`, 'rpc'));
  const pages = async (list: (after?: ListedProvider) => Promise<readonly ListedProvider[]>) => {
    const seen: ListedProvider[] = [];
    for (let page = await list(); page.length > 0; page = await list(page.at(-1))) seen.push(...page);
    return seen.filter(({ provider: { workspaceId } }) => [...workspaces, many].includes(workspaceId));
  };
  for (const listed of [
    await pages((after) => store.listActiveProviders({ after, limit: 2 })),
    await pages((after) => store.listDueRotations({ after, limit: 2 })),
  ]) {
    const others = listed.filter(({ provider: { workspaceId } }) => workspaceId !== many);
    expect(others.map((each) => each.provider)).toEqual(turns);
    expect(listed).toHaveLength(turns.length + 20);
    const before = listed.slice(0, listed.indexOf(others.at(-1) as ListedProvider));
    const ofMany = before.filter(({ provider: { workspaceId } }) => workspaceId === many);
    expect(ofMany.length, 'before the last one of the others').toBeLessThanOrEqual(3);
  }
});

test('a page continues after a provider that is no longer due, and leaves out none [G23]', async () => {
  const workspaceId = anyWorkspace();
  const all = [1, 2, 3, 4].map((number) => provider(workspaceId, `a-${number}`));
  for (const identity of all) await due(identity);
  const mine = async (after?: ListedProvider) =>
    (await store.listDueRotations({ after, limit: 10_000 })).filter(
      (each) => each.provider.workspaceId === workspaceId,
    );
  const [first, second] = await mine();
  for (const done of [first, second]) await store.setStatus(done?.provider as ProviderIdentity, 'disabled');
  expect((await mine(second)).map((each) => each.provider)).toEqual(all.slice(2));
});

test('no row that a workspace’s service writes hides the due rotations of other workspaces', async () => {
  const [odd, other] = [await due(), await due()];
  await withSession(database.tenantUrl, async (session) => {
    await session.query(`select set_config('app.workspace_id', $1, false)`, [odd.workspaceId]);
    const change = (to: string) => session.query(`update workspace_providers set ${to}`);
    await expect(change(`rotate_every = '200000 years'`)).rejects.toMatchObject({ constraint: 'rotate_every' });
    await expect(change(`rotated_at = 'infinity'`)).rejects.toMatchObject({ code: '42501' });
    for (const rotateEvery of ['100 years', '1 microsecond']) {
      expect(await change(`rotate_every = '${rotateEvery}'`)).toMatchObject({ rowCount: 1 });
      expect(await listDue(other), rotateEvery).toHaveLength(1);
    }
  });
});

describe('preparing a rotation that is due', () => {
  test('takes the rotation that was staged earlier, whether or not a key can be issued', async () => {
    const identity = await due();
    const rotationId = await stageByHand(identity);
    expect(await stageDue(identity, true)).toEqual({ outcome: 'staged', rotationId });
    expect(await stageDue(identity, false)).toEqual({ outcome: 'staged', rotationId });
  });

  test('leaves one to the caller who is about to start it, for a minute', async () => {
    const identity = await due();
    const rotationId = await stageByHand(identity, true);
    expect(await stageDue(identity, true)).toEqual({ outcome: 'passed' });
    await stagedLongAgo(database, rotationId);
    expect(await stageDue(identity, true)).toEqual({ outcome: 'staged', rotationId });
  });

  test('keeps for a minute what it returned: no other caller replaces it', async () => {
    const identity = await due();
    const rotationId = await stageByHand(identity);
    expect(await stageDue(identity)).toEqual({ outcome: 'staged', rotationId });
    await expect(stageByHand(identity, true)).rejects.toMatchObject({ type: 'RotationInProgress' });
    await stagedLongAgo(database, rotationId);
    await stageByHand(identity, true);
  });

  test('stages a rotation if a key can be issued, and returns the same one when asked again', async () => {
    const identity = await due();
    const first = await stageDue(identity, true);
    expect(first).toMatchObject({ outcome: 'staged' });
    expect(await stageDue(identity, true)).toEqual(first);
  });

  test('returns whether a person is needed or the rotation is no longer due', async () => {
    const identity = await due();
    expect(await stageDue(identity)).toEqual({ outcome: 'needs-person' });
    const rotationId = await stageByHand(identity);
    await store.beginRotation(rotationId, 'a-workflow');
    expect(await stageDue(identity, true)).toEqual({ outcome: 'passed' });
    expect(await stageDue(await stored(), true)).toEqual({ outcome: 'passed' });
  });
});

const nothingRuns = async () => ({ running: false });

test('a key can be issued if the service supports it and the workspace has an active admin credential', async () => {
  const openai = await due(provider(anyWorkspace(), 'openai'));
  const gemini = await due(provider(openai.workspaceId, 'gemini'));
  const admin = provider(openai.workspaceId, 'openai', 'llm-admin');
  expect(await prepareDueRotation(openai, store, ProviderTypes.builtIn, nothingRuns)).toEqual({
    outcome: 'needs-person',
  });
  await stored(admin);
  await store.setStatus(admin, 'disabled');
  expect(await prepareDueRotation(openai, store, ProviderTypes.builtIn, nothingRuns)).toEqual({
    outcome: 'needs-person',
  });
  await store.setStatus(admin, 'active');
  expect(await prepareDueRotation(openai, store, ProviderTypes.builtIn, nothingRuns)).toMatchObject({
    outcome: 'staged',
  });
  expect(await store.listRotations(openai.workspaceId, 10)).toMatchObject([{ origin: 'issued', state: 'staged' }]);
  await stored(provider(openai.workspaceId, 'gemini', 'llm-admin'));
  expect(await prepareDueRotation(gemini, store, ProviderTypes.builtIn, nothingRuns)).toEqual({
    outcome: 'needs-person',
  });
});

describe('an event', () => {
  const raise = (identity: ProviderIdentity, version = 1) =>
    store.raiseEventOnce({ provider: identity, version }, 'rotation-overdue', 'a schedule');

  test('is raised once per version even by many callers at once, and counts until the credential is replaced', async () => {
    const identity = await due();
    const before = await store.countOverdue();
    const [llm] = (await store.credentialAges()).filter(({ type }) => type === identity.type);
    expect(llm?.overdue).toBeGreaterThan(0);
    expect(llm?.oldestMs).toBeGreaterThan(30 * 24 * 3_600_000);
    const raised = await Promise.all([1, 2, 3, 4].map(() => raise(identity)));
    expect(raised.filter(Boolean)).toHaveLength(1);
    expect(await store.countOverdue()).toBe(before + 1);
    const overdue = (await store.audit.listEvents(identity)).filter(({ event }) => event === 'rotation-overdue');
    expect(overdue).toMatchObject([{ provider: identity, version: 1, actor: 'a schedule' }]);
    await store.putProvider(identity, row('y'));
    expect(await store.countOverdue()).toBe(before);
    expect(await raise(identity), 'the provider has another version by now').toBe(false);
    expect(await raise(identity, 2)).toBe(true);
  });
});

test('a login that sets app.every_workspace sees no additional workspace', async () => {
  const [mine, theirs] = [await stored(), await stored()];
  await withSession(database.tenantUrl, async (session) => {
    await session.query(`select set_config('app.every_workspace', 'on', false)`);
    await session.query(`select set_config('app.workspace_id', $1, false)`, [mine.workspaceId]);
    const { rows } = await session.query('select workspace_id from workspace_providers');
    expect(rows).toEqual([{ workspace_id: mine.workspaceId }]);
  });
  await withSession(database.resolverUrl, async (session) => {
    await session.query(`select set_config('app.every_workspace', 'on', false)`);
    const { rows } = await session.query('select providers from provider_api.read_workspace($1)', [theirs.workspaceId]);
    expect(rows[0].providers).toHaveLength(1);
  });
});
