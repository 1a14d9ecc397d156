/** The optional policies on Supabase's claims, tested as its REST API connects: the login sets a role and claims. */
import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { withSession } from '../../support/database.js';
import { useDatabase } from '../../support/use-database.js';
import { anyWorkspace, dataKey, provider, row } from '../rows.js';

const OPTIONAL = new URL('../../../src/store/optional/supabase.sql', import.meta.url);
const DENIED = expect.objectContaining({ code: '42501' });
const [MINE, THEIRS] = [anyWorkspace(), anyWorkspace()];
const SHOWN = `workspace_id, provider_type, provider_name, config, status, version, rotate_every, rotated_at,
  last_check_outcome, last_check_at, created_at, updated_at`;

const database = useDatabase();

beforeAll(async () => {
  await withSession(database.ownerUrl, async (session) => {
    // Supabase has these roles. All databases of a server share them.
    for (const role of ['anon', 'authenticated'])
      await session.query(
        `do $$ begin create role ${role} nologin; exception when duplicate_object or unique_violation then null; end $$`,
      );
    const optional = await readFile(OPTIONAL, 'utf8');
    // Twice, because an operator may run it again.
    for (let turn = 0; turn < 2; turn += 1) await session.query(optional);
  });
  const { manager } = database;
  for (const workspace of [MINE, THEIRS]) {
    await manager.addDataKey(workspace, dataKey('k1'));
    const { version } = await manager.putProvider(provider(workspace), row(workspace));
    await manager.raiseEventOnce({ provider: provider(workspace), version }, 'rotation-overdue', 'canary-operator');
  }
});

/** Runs `work` with a role and claims, as PostgREST does for each request. */
async function request<Result>(role: string, claims: unknown, work: (session: pg.Client) => Promise<Result>) {
  return withSession(database.ownerUrl, async (session) => {
    await session.query('begin');
    await session.query(`set local role ${role}`);
    if (claims !== undefined) {
      const text = typeof claims === 'string' ? claims : JSON.stringify(claims);
      await session.query(`set local request.jwt.claims = '${text}'`);
    }
    const result = await work(session);
    await session.query('rollback');
    return result;
  });
}

const userOf = (workspaceId: string) => ({
  sub: 'u',
  role: 'authenticated',
  app_metadata: { workspace_id: workspaceId },
});

describe('a signed-in user', () => {
  it('sees only the providers and the events of their own workspace [G12]', async () => {
    await request('authenticated', userOf(MINE), async (session) => {
      const { rows } = await session.query(`select ${SHOWN} from workspace_providers`);
      expect(rows).toEqual([expect.objectContaining({ workspace_id: MINE, config: { note: MINE }, version: '1' })]);
      const events = await session.query('select workspace_id, event from provider_events');
      expect(events.rows).toContainEqual({ workspace_id: MINE, event: 'rotation-overdue' });
      expect(new Set(events.rows.map(({ workspace_id }) => workspace_id))).toEqual(new Set([MINE]));
    });
  });

  it.each([
    ['without claims', undefined],
    ['with empty claims', ''],
    ['without a workspace', { role: 'authenticated', app_metadata: {} }],
    [
      'with a workspace only in metadata that users can write',
      { user_metadata: { workspace_id: MINE }, workspace_id: MINE },
    ],
    ['with only the setting that other services use', { app_metadata: { workspace_id: null } }],
  ])('%s sees nothing', async (_, claims) => {
    await request('authenticated', claims, async (session) => {
      await session.query(`select set_config('app.workspace_id', $1, true)`, [MINE]);
      expect((await session.query('select workspace_id from workspace_providers')).rows).toEqual([]);
      expect((await session.query('select event from provider_events')).rows).toEqual([]);
    });
  });

  it.each([
    'select encrypted_config from workspace_providers',
    'select * from workspace_providers',
    'select actor from provider_events',
    'select details from provider_events',
    'select from workspace_keys',
    'select from provider_rotations',
    `update workspace_providers set status = 'disabled'`,
    'delete from workspace_providers',
    `insert into workspace_providers (workspace_id, provider_type, provider_name, config, encrypted_config)
      values ('${MINE}', 'llm', 'x', '{}', 'a.b.c.d.e')`,
    `select provider_api.read_workspace('${MINE}')`,
  ])('may not run: %s', async (statement) => {
    await request('authenticated', userOf(MINE), (session) => expect(session.query(statement)).rejects.toEqual(DENIED));
  });
});

it('a user who is not signed in sees nothing', async () => {
  for (const table of ['workspace_providers', 'provider_events', 'workspace_keys'])
    await request('anon', userOf(MINE), (session) =>
      expect(session.query(`select workspace_id from ${table}`)).rejects.toEqual(DENIED),
    );
});

it('the preflight of workers and managers still passes: the policies open nothing to their logins', async () => {
  const { manager, worker } = database;
  await Promise.all([manager.preflight(), worker.preflight()]);
});
