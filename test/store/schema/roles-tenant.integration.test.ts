/** What the platform's other services may do, and the bounds of a workspace. */
import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseLocalKeyring } from '../../../src/sealing/local-keyring.js';
import { Sealer } from '../../../src/sealing/sealer.js';
import { withSession } from '../../support/database.js';
import { TEST_ENCRYPTION_KEY } from '../../support/fake-store.js';
import { useDatabase } from '../../support/use-database.js';
import { anyWorkspace, dataKey, provider, row, sealed } from '../rows.js';

const DENIED = expect.objectContaining({ code: '42501' });

const database = useDatabase();

describe('the tenant role', () => {
  const mine = anyWorkspace();
  const INSERT = `insert into workspace_providers (workspace_id, provider_type, provider_name, config, encrypted_config)
    values ($1, 'llm', $2, '{}', $3)`;
  const REMOVE = `select removed from provider_api.remove_own_provider('llm', $1)`;
  const SEEN = 'select distinct workspace_id from workspace_providers';

  beforeAll(async () => {
    await database.query(
      `insert into workspace_providers (workspace_id, provider_type, provider_name, config, encrypted_config)
          select w, 'llm', 'p' || n, '{}', $2 from generate_series(1, 100) n, unnest(array['ws_' || n % 25, $1]) w
        on conflict do nothing`,
      [mine, sealed('x')],
    );
  });

  async function inWorkspace<Result>(workspaceId: string | undefined, work: (session: pg.Client) => Promise<Result>) {
    return withSession(database.tenantUrl, async (session) => {
      if (workspaceId !== undefined) {
        await session.query(`select set_config('app.workspace_id', $1, false)`, [workspaceId]);
      }
      return work(session);
    });
  }

  it('sees and changes only the rows of its own workspace, among those of 25 others [G12]', async () => {
    await inWorkspace(mine, async (session) => {
      expect((await session.query(SEEN)).rows).toEqual([{ workspace_id: mine }]);
      expect((await session.query('select from workspace_providers')).rowCount).toBe(100);
      expect((await session.query(`update workspace_providers set status = 'disabled'`)).rowCount).toBe(100);
      expect((await session.query(REMOVE, ['p2'])).rows).toEqual([{ removed: true }]);
      expect((await session.query(REMOVE, ['p2'])).rows).toEqual([{ removed: false }]);
    });
    await withSession(database.ownerUrl, async (session) => {
      const { rows } = await session.query(
        `select count(*)::int as kept from workspace_providers where status = 'active' and workspace_id <> $1 and provider_name like 'p%'`,
        [mine],
      );
      expect(rows).toEqual([{ kept: 100 }]);
    });
  });

  it.each([undefined, '', 'ws_nobody'])('sees and changes nothing if the workspace setting is %j', async (setting) => {
    await inWorkspace(setting, async (session) => {
      expect((await session.query('select from workspace_providers')).rowCount).toBe(0);
      expect((await session.query('select from workspace_keys')).rowCount).toBe(0);
      await expect(session.query(INSERT, ['ws_1', 'new', sealed('x')])).rejects.toEqual(DENIED);
      const removed = session.query(REMOVE, ['p1']);
      if (setting) expect((await removed).rows).toEqual([{ removed: false }]);
      else
        await expect(removed).rejects.toMatchObject({
          message: expect.stringContaining('app.workspace_id is not set'),
        });
    });
  });

  it('writes rows of its own workspace, and cannot write rows of another', async () => {
    await inWorkspace(mine, async (session) => {
      await session.query(INSERT, [mine, 'new', sealed('x')]);
      await expect(session.query(INSERT, ['ws_1', 'new', sealed('x')])).rejects.toEqual(DENIED);
      // This row exists, but the error does not reveal it.
      await expect(session.query(INSERT, ['ws_1', 'p1', sealed('x')])).rejects.toEqual(DENIED);
      const { rows } = await session.query(`select current_setting('app.workspace_id') as workspace`);
      expect(rows).toEqual([{ workspace: mine }]);
    });
  });

  const ADD = 'select kid from provider_api.add_own_data_key($1, $2, $3)';

  it('adds the first data key of its workspace, in the form of the sealing format, and replaces none', async () => {
    const workspace = anyWorkspace();
    const sealer = new Sealer(parseLocalKeyring(TEST_ENCRYPTION_KEY));
    const [first, second] = [await sealer.createDataKey(workspace), await sealer.createDataKey(workspace)];
    await inWorkspace(workspace, async (session) => {
      for (const key of [first, second]) {
        const { rows } = await session.query(ADD, [key.kid, key.wrappedKey, key.rootKeyId]);
        expect(rows).toEqual([{ kid: first.kid }]);
      }
    });
    await inWorkspace(undefined, async (session) => {
      await expect(session.query(ADD, [first.kid, first.wrappedKey, first.rootKeyId])).rejects.toEqual(DENIED);
    });
  });

  it('adds no data key in another form, of another workspace, or under another kid', async () => {
    const workspace = anyWorkspace();
    const sealer = new Sealer(parseLocalKeyring(TEST_ENCRYPTION_KEY));
    const { kid, wrappedKey, rootKeyId } = await sealer.createDataKey(workspace);
    const other = await sealer.createDataKey(anyWorkspace());
    const [header = '', ...rest] = wrappedKey.split('.');
    const members = JSON.parse(Buffer.from(header, 'base64url').toString());
    const withHeader = (text: string) => [Buffer.from(text).toString('base64url'), ...rest].join('.');
    const wrong: readonly (readonly [kid: string, wrappedKey: string, rootKeyId: string])[] = [
      [kid, 'w', rootKeyId],
      [kid, sealed('x'), rootKeyId],
      [kid, other.wrappedKey, rootKeyId],
      [other.kid, other.wrappedKey, other.rootKeyId],
      ['another', wrappedKey, rootKeyId],
      [kid, wrappedKey, 'another'],
      [kid, `${wrappedKey}A`, rootKeyId],
      [kid, wrappedKey.slice(0, -1), rootKeyId],
      [kid, withHeader('{'), rootKeyId],
      [kid, withHeader('[]'), rootKeyId],
      [kid, withHeader('null'), rootKeyId],
      [kid, withHeader(JSON.stringify({ ...members, zip: 'DEF' })), rootKeyId],
      [kid, withHeader(JSON.stringify({ ...members, alg: 'A256KW' })), rootKeyId],
      [kid, withHeader(JSON.stringify(members, undefined, 1)), rootKeyId],
      [kid, withHeader(JSON.stringify(members).replace('{', '{"alg":"dir",')), rootKeyId],
      [kid, ['/w', ...rest].join('.'), rootKeyId],
      [kid, ['A', ...rest].join('.'), rootKeyId],
      [kid, [Buffer.from([0xff, 0xfe]).toString('base64url'), ...rest].join('.'), rootKeyId],
    ];
    await inWorkspace(workspace, async (session) => {
      for (const values of wrong) {
        await expect(session.query(ADD, [...values]), values[1]).rejects.toMatchObject({ constraint: 'wrapped_key' });
      }
      expect((await session.query(ADD, [kid, wrappedKey, rootKeyId])).rows).toEqual([{ kid }]);
    });
  });
});

describe('a workspace', () => {
  it('has at most 200 providers and 100 data keys, whoever adds them', async () => {
    const workspace = anyWorkspace();
    const providers = `insert into workspace_providers (workspace_id, provider_type, provider_name, config, encrypted_config)
      select $1, 'llm', $2 || n, '{}', $3 from generate_series(1, $4::int) n`;
    await database.query(providers, [workspace, 'p', sealed('x'), 200]);
    await expect(database.query(providers, [workspace, 'q', sealed('x'), 1])).rejects.toMatchObject({ code: '54000' });
    await expect(database.manager.putProvider(provider(workspace, 'one-more'), row('a'))).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      message: 'the workspace has as many providers as a workspace can have (200): remove one first',
    });
    await database.manager.putProvider(provider(workspace, 'p1'), row('replaced'));
    const keys = `insert into workspace_keys (workspace_id, kid, wrapped_key, root_key_id, state)
      select $1, 'k' || n, 'w', 'r', 'retired' from generate_series(1, $2::int) n`;
    await database.query(keys, [workspace, 100]);
    await expect(database.manager.addDataKey(workspace, dataKey('k101'))).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      message: expect.stringContaining('as many data keys as a workspace can have'),
    });
  });
});
