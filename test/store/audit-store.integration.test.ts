/** The audit: every change writes an event, nobody can change an event, and only its own workspace sees it. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import type { ManagementStore } from '../../src/store/management-store.js';
import { withSession } from '../support/database.js';
import { useDatabase } from '../support/use-database.js';
import { anyWorkspace, dataKey, provider, row, sealed } from './rows.js';

const INSERT = `insert into workspace_providers (workspace_id, provider_type, provider_name, config, encrypted_config)
  values ($1, 'llm', 'anthropic', '{}', $2)`;

const database = useDatabase();
let store: ManagementStore;
beforeAll(() => {
  store = database.manager;
});

const loginOf = (url: string) => new URL(url).username;

/** The events, oldest first. */
async function eventsOf(of: Partial<ProviderIdentity>) {
  return (await store.audit.listEvents(of, 1_000)).toReversed();
}

const named = async (of: Partial<ProviderIdentity>) => (await eventsOf(of)).map(({ event }) => event);

async function stored(identity = provider(anyWorkspace())): Promise<ProviderIdentity> {
  await store.putProvider(identity, row('x'));
  return identity;
}

const asSuperuser = <Result>(work: (session: pg.Client) => Promise<Result>) => withSession(database.ownerUrl, work);

describe('a change', () => {
  test('is recorded with its actor, its version and the client address [G13]', async () => {
    const identity = provider(anyWorkspace());
    const ana = store.actingAs('user:ana@acme');
    await ana.putProvider(identity, row('a'));
    await ana.putProvider(identity, row('b'));
    await ana.setStatus(identity, 'disabled');
    await ana.setStatus(identity, 'active');
    await ana.setRotationInterval(identity, '90 days');
    await ana.removeProvider(identity);
    const events = await eventsOf(identity);
    expect(events.map(({ event, version, details }) => [event, version, details.changed])).toEqual([
      ['created', 1, undefined],
      ['changed', 2, ['config', 'encrypted_config']],
      ['disabled', 3, ['status']],
      ['enabled', 4, ['status']],
      ['changed', 4, ['rotate_every']],
      ['removed', 4, undefined],
    ]);
    for (const event of events) {
      expect(event).toMatchObject({
        ...{ workspaceId: identity.workspaceId, provider: identity, actor: 'user:ana@acme' },
        ...{ login: loginOf(database.managerUrl), application: 'workspace-providers' },
        clientAddress: expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
      });
    }
    expect(JSON.stringify(events)).not.toContain(sealed('b'));
  });

  test('is recorded with its login as the actor if none is given, as by an older build', async () => {
    const identity = await stored();
    await withSession(database.managerUrl, (session) =>
      session.query(`select provider_api.set_provider_status($1, 'llm', 'anthropic', 'disabled')`, [
        identity.workspaceId,
      ]),
    );
    const login = loginOf(database.managerUrl);
    expect(await eventsOf(identity)).toMatchObject([{ actor: login }, { event: 'disabled', actor: login, login }]);
  });

  test('is not recorded if it changes nothing or is the result of a check', async () => {
    const identity = await stored();
    await store.putProvider(identity, row('x'));
    await store.recordCheck(identity, 1, 'ok');
    expect(await named(identity)).toEqual(['created']);
  });

  test('is committed together with its event or not at all [G13]', async () => {
    const workspaceId = anyWorkspace();
    await asSuperuser(async (session) => {
      await session.query('begin');
      await session.query(INSERT, [workspaceId, sealed('x')]);
      await session.query('rollback');
    });
    expect(await named({ workspaceId })).toEqual([]);
  });

  test('by an invalid actor is refused', () => {
    for (const actor of ['', 'a'.repeat(201), 'ana\n', 'ana\0']) {
      expect(() => store.actingAs(actor)).toThrow('actor must be 1 to 200 characters');
    }
  });
});

describe('SQL that bypasses the functions', () => {
  test('is recorded with its login, regardless of the actor that it claims', async () => {
    const workspaceId = anyWorkspace();
    await withSession(database.tenantUrl, async (session) => {
      await session.query(`select set_config('app.workspace_id', $1, false)`, [workspaceId]);
      await session.query(INSERT, [workspaceId, sealed('x')]);
      await session.query(`select set_config('app.actor', 'user:bob', false)`);
      await session.query(`update workspace_providers set config = '{"model":"m"}'`);
    });
    const login = loginOf(database.tenantUrl);
    expect(await eventsOf({ workspaceId })).toMatchObject([
      { event: 'created', actor: login, login },
      { event: 'changed', actor: 'user:bob', login, details: { changed: ['config'] } },
    ]);
  });

  test('is recorded even if a superuser removes rows with triggers off, as in replication [G13]', async () => {
    const identity = await stored();
    await asSuperuser(async (session) => {
      await session.query(`set session_replication_role = 'replica'`);
      await session.query('delete from workspace_providers where workspace_id = $1', [identity.workspaceId]);
    });
    const login = loginOf(database.ownerUrl);
    expect((await eventsOf(identity)).at(-1)).toMatchObject({ event: 'removed', version: 1, login });
  });

  test.each([
    ['a provider', `workspace_providers set provider_name = 'other'`],
    ['a provider’s workspace', `workspace_providers set workspace_id = 'ws_other'`],
    ['a provider’s type', `workspace_providers set provider_type = 'rpc'`],
    ['a data key', `workspace_keys set kid = 'other'`],
    ['a data key’s workspace', `workspace_keys set workspace_id = 'ws_other'`],
  ])('cannot rename %s, not even as a superuser with triggers off', async (_, change) => {
    const { workspaceId } = await stored();
    await store.addDataKey(workspaceId, dataKey('k'));
    await asSuperuser(async (session) => {
      await session.query(`set session_replication_role = 'replica'`);
      const renamed = session.query(`update ${change} where workspace_id = $1`, [workspaceId]);
      await expect(renamed).rejects.toMatchObject({
        code: '23001',
        message: expect.stringContaining('cannot be renamed'),
      });
    });
  });
});

test('adding, re-wrapping and deleting a data key are recorded for the workspace, without a provider', async () => {
  const workspaceId = anyWorkspace();
  await store.addDataKey(workspaceId, dataKey('k'));
  await store.rewrapDataKey({ workspaceId, ...dataKey('k') }, { ...dataKey('k'), wrappedKey: 'canary-anew' });
  await store.actingAs('cli:ana').deleteDataKeys(workspaceId);
  const events = await eventsOf({ workspaceId });
  expect(events).toMatchObject([
    { event: 'data-key-added', details: { kid: 'k' } },
    { event: 'data-key-rewrapped', actor: loginOf(database.managerUrl) },
    { event: 'data-key-deleted', actor: 'cli:ana' },
  ]);
  for (const event of events) expect(event.provider).toBeUndefined();
  expect(JSON.stringify(events)).not.toContain('canary');
});

describe('a rotation', () => {
  async function begun() {
    const identity = await stored();
    const rotationId = randomUUID();
    const nextEncryptedConfig = sealed(rotationId);
    await store
      .actingAs('cli:ana')
      .stageRotation({ rotationId, provider: identity, fromVersion: 1, nextEncryptedConfig });
    await store.beginRotation(rotationId, 'rotation-workflow');
    return { identity, rotationId };
  }

  test('is recorded stage by stage, with its workflow and who asked for it', async () => {
    const { identity, rotationId } = await begun();
    await store.advanceRotation(rotationId, 'checked');
    await store.activateRotation(rotationId);
    await store.activateRotation(rotationId);
    await store.advanceRotation(rotationId, 'fenced');
    await store.advanceRotation(rotationId, 'drained');
    await store.endRotation(rotationId, { state: 'revoked', reason: 'canary: what a person wrote' });
    const [, staged, ...others] = await eventsOf(identity);
    expect(staged).toMatchObject({ event: 'rotation-staged', actor: 'cli:ana', details: { rotationId } });
    expect(others.map(({ event, version }) => [event, version])).toEqual([
      ['rotation-begun', 1],
      ['rotation-checked', 1],
      ['changed', 2],
      ['rotation-activated', 2],
      ['rotation-fenced', 2],
      ['rotation-drained', 2],
      ['rotation-revoked', 2],
    ]);
    for (const event of others) expect(event).toMatchObject({ actor: 'cli:ana', workflowId: 'rotation-workflow' });
    expect(JSON.stringify(others)).not.toContain('canary');
  });

  test('that is rolled back records the rollback under the login, not under the person who asked for the rotation', async () => {
    const { identity, rotationId } = await begun();
    await store.advanceRotation(rotationId, 'checked');
    await store.activateRotation(rotationId);
    await store.rollBackRotation(rotationId, 'it was the wrong one');
    const login = loginOf(database.managerUrl);
    expect((await eventsOf(identity)).slice(-2)).toMatchObject([
      { event: 'changed', version: 3, actor: login, workflowId: 'rotation-workflow' },
      { event: 'rotation-rollback-begun', version: 3, actor: login, workflowId: 'rotation-workflow' },
    ]);
  });

  test('is not recorded as the cause of an unrelated change made meanwhile', async () => {
    const { identity } = await begun();
    await store.actingAs('cli:bob').putProvider(identity, row('y'));
    const last = (await eventsOf(identity)).at(-1);
    expect(last).toMatchObject({ event: 'changed', actor: 'cli:bob', workflowId: undefined });
  });
});

describe('the audit events', () => {
  const CHANGES = [
    `update provider_events set actor = 'x'`,
    'delete from provider_events',
    'delete from provider_events where false',
    'truncate provider_events',
    `merge into provider_events using (values (1)) v on true when matched then delete`,
  ];

  test.each([
    ['the manager', 'managerUrl', ''],
    ['the resolver', 'resolverUrl', ''],
    ['a workspace’s service', 'tenantUrl', ''],
    ['the owner', 'ownerUrl', 'set role provider_owner'],
    ['a superuser', 'ownerUrl', ''],
    ['a superuser who switched triggers off', 'ownerUrl', `set session_replication_role = 'replica'`],
  ] as const)('cannot be changed by %s [G13]', async (_, url, first) => {
    await stored();
    await withSession(database[url], async (session) => {
      await session.query(first);
      for (const statement of CHANGES) {
        await expect(session.query(statement), statement).rejects.toMatchObject({ code: '42501' });
      }
    });
  });

  test('are visible only to their own workspace [G13]', async () => {
    const [mine] = [await stored(), await stored()];
    await withSession(database.tenantUrl, async (session) => {
      const seen = async () => (await session.query('select workspace_id from provider_events')).rows;
      expect(await seen()).toEqual([]);
      await session.query(`select set_config('app.workspace_id', $1, false)`, [mine.workspaceId]);
      expect(await seen()).toEqual([{ workspace_id: mine.workspaceId }]);
      const forge = `insert into provider_events (workspace_id, event, actor) values ($1, 'forged', 'x')`;
      await expect(session.query(forge, [mine.workspaceId])).rejects.toMatchObject({ code: '42501' });
    });
  });

  test('are listed for one provider, for a workspace, or for all workspaces', async () => {
    const identity = await stored();
    await stored({ ...identity, name: 'openai' });
    expect(await named(identity)).toEqual(['created']);
    expect(await named({ workspaceId: identity.workspaceId, type: 'llm' })).toEqual(['created', 'created']);
    expect((await store.audit.listEvents()).length).toBeGreaterThan(2);
    await expect(store.audit.listEvents({ name: 'canary pasted' })).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      message: expect.not.stringContaining('canary'),
    });
  });
});

// This test runs last because it empties tables that the others share.
test('a truncate is recorded once for every workspace', async () => {
  const identity = await stored();
  await asSuperuser((session) => session.query('truncate workspace_providers, workspace_keys'));
  const [created, ...truncated] = await eventsOf(identity);
  expect(created).toMatchObject({ event: 'created' });
  expect(truncated.map(({ workspaceId, event, details }) => [workspaceId, event, details.table]).sort()).toEqual([
    ['*', 'truncated', 'workspace_keys'],
    ['*', 'truncated', 'workspace_providers'],
  ]);
});
