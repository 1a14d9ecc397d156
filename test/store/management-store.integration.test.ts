import { inspect } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ManagementStore } from '../../src/store/management-store.js';
import { useDatabase } from '../support/use-database.js';
import { anyWorkspace, dataKey, provider, row, sealed } from './rows.js';

const database = useDatabase();
let store: ManagementStore;
beforeAll(() => {
  store = database.manager;
});

describe('putProvider', () => {
  it('stores what readWorkspace then returns', async () => {
    const workspaceId = anyWorkspace();
    await store.addDataKey(workspaceId, dataKey('k1'));
    await store.putProvider(provider(workspaceId), row('a'));
    await store.putProvider(provider(workspaceId, 'mainnet', 'rpc'), row('b'));
    expect(await store.readWorkspace(workspaceId)).toEqual({
      epoch: expect.any(Number),
      dataKeys: [dataKey('k1')],
      providers: [
        { type: 'llm', name: 'anthropic', ...row('a'), status: 'active', version: 1 },
        { type: 'rpc', name: 'mainnet', ...row('b'), status: 'active', version: 1 },
      ],
    });
  });

  it('overwrites only the expected version', async () => {
    const identity = provider(anyWorkspace());
    const changed = {
      type: 'ProviderChanged',
      facts: { provider: identity, fields: ['expectedVersion'] },
      message: expect.stringMatching(/is no longer at version \d: read it again/),
    };
    await expect(store.putProvider(identity, { ...row('a'), expectedVersion: 1 })).rejects.toMatchObject(changed);
    expect(await store.putProvider(identity, { ...row('a'), expectedVersion: 0 })).toEqual({ version: 1 });
    await expect(store.putProvider(identity, { ...row('b'), expectedVersion: 0 })).rejects.toMatchObject(changed);
    expect(await store.putProvider(identity, { ...row('b'), expectedVersion: 1 })).toEqual({ version: 2 });
    await expect(store.putProvider(identity, { ...row('c'), expectedVersion: 1 })).rejects.toMatchObject(changed);
    expect((await store.listProviders(identity.workspaceId))[0]).toMatchObject(row('b'));
  });

  it.each([0, 1])('lets only one writer win if many expect version %i [G22]', async (expectedVersion) => {
    const identity = provider(anyWorkspace());
    if (expectedVersion === 1) await store.putProvider(identity, row('first'));
    const writes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, writer) => store.putProvider(identity, { ...row(`${writer}`), expectedVersion })),
    );
    expect(writes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('leaves a disabled provider disabled', async () => {
    const identity = provider(anyWorkspace());
    await store.putProvider(identity, row('a'));
    expect(await store.setStatus(identity, 'disabled')).toEqual({ version: 2 });
    expect(await store.putProvider(identity, row('b'))).toEqual({ version: 3 });
    expect((await store.listProviders(identity.workspaceId))[0]).toMatchObject({ status: 'disabled', version: 3 });
  });

  const CANARY = 'canary-never-in-an-error';
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  it.each([
    ['config', { config: [CANARY] }],
    ['config', { config: CANARY }],
    ['config', { config: undefined }],
    ['config', { config: null }],
    ['config', { config: cyclic }],
    ['config', { config: { note: CANARY, ten: 10n } }],
    ['config', { config: { note: CANARY.padEnd(16_384, 'x') } }],
    ['config', { config: { note: `${CANARY}\u0000` } }],
    ['config', { config: { note: `${CANARY}\ud800` } }],
    ['encryptedConfig', { encryptedConfig: CANARY }],
    ['encryptedConfig', { encryptedConfig: '' }],
    ['encryptedConfig', { encryptedConfig: `${sealed(CANARY)}\n` }],
    [undefined, { encryptedConfig: `${sealed(CANARY)}\u0000` }],
    ['encryptedConfig', { encryptedConfig: sealed(CANARY.padEnd(10_000_000, 'x')) }],
    ['workspaceId', { workspaceId: `${CANARY} ` }],
    ['workspaceId', { workspaceId: `${CANARY}\n` }],
    ['type', { type: CANARY.toUpperCase() }],
    ['name', { name: `${CANARY}\u0000` }],
    ['name', { name: `${CANARY}é` }],
  ])(
    'refuses an invalid %s with an error that names the field and repeats no value of the row (%#)',
    async (field, wrong) => {
      const workspaceId = anyWorkspace();
      const write = { ...provider(workspaceId), ...row(CANARY), ...wrong };
      const error = await store.putProvider(write, write).catch((thrown) => thrown);
      expect(error).toMatchObject({ name: 'ProviderError', type: 'ProviderConfigInvalid' });
      expect(error.facts).toEqual(field ? { fields: [field] } : {});
      expect(error.cause).toBeUndefined();
      // Everything that a log could print of the error, including hidden properties.
      expect(inspect(error, { showHidden: true, depth: 9 }).toLowerCase()).not.toContain(CANARY);
      expect(await store.listProviders(workspaceId)).toEqual([]);
    },
  );
});

describe('data keys', () => {
  it('are shared by callers that race to add one: all get the key of the first caller', async () => {
    const workspaceId = anyWorkspace();
    const keys = await Promise.all(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((kid) => store.addDataKey(workspaceId, dataKey(kid))),
    );
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(1);
    expect(keys[0]).toEqual(dataKey(keys[0]?.kid ?? ''));
    expect((await store.readWorkspace(workspaceId)).dataKeys).toEqual([keys[0]]);
  });

  it('are listed with the active key before the retired ones', async () => {
    const workspaceId = anyWorkspace();
    await store.addDataKey(workspaceId, dataKey('old'));
    await database.query(`update workspace_keys set state = 'retired'`);
    await store.addDataKey(workspaceId, dataKey('new'));
    expect((await store.readWorkspace(workspaceId)).dataKeys).toEqual([dataKey('new'), dataKey('old')]);
  });

  it.each([
    ['kid', { kid: 'canary é' }],
    ['wrappedKey', { wrappedKey: 'canary\n' }],
    ['wrappedKey', { wrappedKey: 'x'.repeat(8193) }],
    ['rootKeyId', { rootKeyId: '' }],
  ])('are refused if their %s is invalid', async (field, wrong) => {
    await expect(store.addDataKey(anyWorkspace(), { ...dataKey('k'), ...wrong })).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      facts: { fields: [field] },
      message: expect.not.stringContaining('canary'),
    });
  });

  it('are deleted only in the workspace that deleteDataKeys names', async () => {
    const [mine, theirs] = [anyWorkspace(), anyWorkspace()];
    for (const workspace of [mine, theirs]) await store.addDataKey(workspace, dataKey('k'));
    await store.deleteDataKeys(mine);
    expect((await store.readWorkspace(mine)).dataKeys).toEqual([]);
    expect((await store.readWorkspace(theirs)).dataKeys).toEqual([dataKey('k')]);
  });
});

describe('listProviders', () => {
  it('returns when each provider was changed, when its credential was replaced, and the last check of its version', async () => {
    const identity = provider(anyWorkspace());
    await store.putProvider(identity, row('a'));
    const [added] = await store.listProviders(identity.workspaceId);
    expect(added).toEqual({
      ...{ type: 'llm', name: 'anthropic', ...row('a'), status: 'active', version: 1 },
      ...{ createdAt: expect.any(Date), updatedAt: added?.createdAt, rotatedAt: added?.createdAt },
    });

    await store.recordCheck(identity, 1, 'ok');
    await database.query(`update workspace_providers set rotate_every = interval '90 days' where workspace_id = $1`, [
      identity.workspaceId,
    ]);
    const [checked] = await store.listProviders(identity.workspaceId);
    expect(checked).toEqual({
      ...added,
      rotateEveryMs: 90 * 24 * 3_600_000,
      lastCheck: { outcome: 'ok', at: expect.any(Date) },
    });

    await store.putProvider(identity, { config: { note: 'b' }, encryptedConfig: sealed('a') });
    await store.recordCheck(identity, 1, 'rejected');
    const [changed] = await store.listProviders(identity.workspaceId);
    expect(changed).toMatchObject({ version: 2, createdAt: added?.createdAt, rotatedAt: added?.rotatedAt });
    expect(changed?.updatedAt.getTime()).toBeGreaterThan(added?.updatedAt.getTime() ?? Number.POSITIVE_INFINITY);
    expect(changed?.lastCheck).toBeUndefined();
  });
});

describe('a provider that does not exist', () => {
  it('cannot be disabled or removed, and a check of it is not stored', async () => {
    const identity = provider(anyWorkspace());
    await expect(store.setStatus(identity, 'disabled')).rejects.toMatchObject({ type: 'ProviderNotConfigured' });
    expect(await store.removeProvider(identity)).toBe(false);
    await store.recordCheck(identity, 1, 'ok');
    expect(await store.listProviders(identity.workspaceId)).toEqual([]);
  });
});
