import { describe, expect, it } from 'vitest';
import { openManagementStore } from '../../../src/store/management-store.js';
import { withSession } from '../../support/database.js';
import { useDatabase } from '../../support/use-database.js';
import { anyWorkspace, dataKey, provider, row } from '../rows.js';
import { listPrivileges } from './privileges.js';

const LIST_TABLES = `
  select c.oid::regclass::text as name, c.relrowsecurity and c.relforcerowsecurity as forced,
    c.relowner::regrole::text as owner
  from pg_class c where relkind = 'r' and relnamespace in ('public'::regnamespace, 'provider_api'::regnamespace)
  order by 1`;
const DENIED = expect.objectContaining({ code: '42501' });

const database = useDatabase();

async function tables(): Promise<{ name: string; forced: boolean; owner: string }[]> {
  return withSession(database.ownerUrl, async (session) => (await session.query(LIST_TABLES)).rows);
}

describe('the tables', () => {
  it('force row-level security on their owner, which is not a superuser and cannot log in [G12]', async () => {
    const stored = (await tables()).filter(({ name }) => name !== 'provider_api.migrations');
    expect(stored).toEqual(
      [
        'provider_changes',
        'provider_epoch',
        'provider_events',
        'provider_invalidations',
        'provider_rotations',
        'provider_use',
        'provider_versions',
        'resolver_workers',
        'workspace_keys',
        'workspace_providers',
      ].map((name) => ({
        name,
        forced: true,
        owner: 'provider_owner',
      })),
    );
    await withSession(database.ownerUrl, async (session) => {
      const { rows } = await session.query(
        `select from pg_roles where rolname in ('provider_owner', 'provider_resolver', 'provider_manager',
          'provider_tenant', 'provider_auditor') and not (rolsuper or rolbypassrls or rolcanlogin or rolcreaterole)`,
      );
      expect(rows).toHaveLength(5);
    });
  });

  it('each have a policy, and all grants and policies match privileges.txt [G12]', async () => {
    const privileges = await withSession(database.ownerUrl, listPrivileges);
    for (const { name } of await tables()) {
      if (name === 'provider_api.migrations') continue;
      expect(privileges).toMatch(new RegExp(`^policy (public.)?${name}: `, 'm'));
    }
    await expect(privileges).toMatchFileSnapshot('privileges.txt');
  });

  it('grant nothing to PUBLIC, and neither does any function', async () => {
    await withSession(database.ownerUrl, async (session) => {
      const { rows } = await session.query(`
        select proname as name from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
        where pronamespace = 'provider_api'::regnamespace and grantee = 0
        union all
        select relname from pg_class, aclexplode(coalesce(relacl, acldefault('r', relowner)))
        where relkind = 'r' and relnamespace in ('public'::regnamespace, 'provider_api'::regnamespace) and grantee = 0`);
      expect(rows).toEqual([]);
    });
  });
});

describe('functions that run as the owner', () => {
  it('pin their search path [G12]', async () => {
    await withSession(database.ownerUrl, async (session) => {
      const { rows } = await session.query(`
        select proname, proconfig from pg_proc where pronamespace = 'provider_api'::regnamespace and prosecdef`);
      expect(rows.length).toBeGreaterThanOrEqual(10);
      for (const { proconfig } of rows) expect(proconfig).toContain('search_path=pg_catalog, pg_temp');
    });
  });
});

describe('access to every workspace', () => {
  const SETTING = `select set_config('app.every_workspace', 'on', false)`;

  it('cannot be turned on by a setting: no function or policy reads one', async () => {
    await withSession(database.ownerUrl, async (session) => {
      const { rows } = await session.query(`
        select pg_get_functiondef(oid) as text from pg_proc where pronamespace = 'provider_api'::regnamespace
        union all select concat(pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) from pg_policy`);
      expect(rows.length).toBeGreaterThanOrEqual(50);
      for (const { text } of rows) expect(text).not.toContain('every_workspace');
    });
  });

  it('is denied to the owner and to a manager, even if they set app.every_workspace', async () => {
    const workspaces = [anyWorkspace(), anyWorkspace()] as const;
    const management = openManagementStore({ databaseUrl: database.managerUrl });
    for (const workspace of workspaces) {
      await management.putProvider(provider(workspace), row(workspace));
      await management.addDataKey(workspace, dataKey('k1'));
    }
    await management.close();
    await withSession(database.ownerUrl, async (session) => {
      await session.query('set role provider_owner');
      await session.query(SETTING);
      for (const table of ['workspace_providers', 'workspace_keys'])
        expect((await session.query(`select from ${table}`)).rowCount, table).toBe(0);
    });
    await withSession(database.managerUrl, async (session) => {
      await session.query(SETTING);
      const { rows } = await session.query('select from provider_api.list_providers($1)', [workspaces[0]]);
      expect(rows).toHaveLength(1);
      await expect(session.query('select from workspace_providers')).rejects.toEqual(DENIED);
    });
  });

  it('is granted to the auditor, which cannot read sealed columns or change anything [G12]', async () => {
    await withSession(database.ownerUrl, async (session) => {
      await session.query('set role provider_auditor');
      const { rows } = await session.query('select count(distinct workspace_id)::int as seen from workspace_keys');
      expect(rows[0].seen).toBeGreaterThanOrEqual(2);
      for (const statement of [
        'select encrypted_config from workspace_providers',
        'select config from workspace_providers',
        'select * from workspace_providers',
        'select next_encrypted_config from provider_rotations',
        'select previous_encrypted_config from provider_rotations',
        `update workspace_providers set status = 'disabled'`,
        'delete from workspace_keys',
        'delete from provider_events',
        'create function provider_api.mine() returns int language sql return 1',
      ])
        await expect(session.query(statement), statement).rejects.toEqual(DENIED);
    });
  });
});

describe.each(['resolver', 'manager'] as const)('the %s role', (role) => {
  it('may not read or write any table [G15]', async () => {
    const all = await tables();
    expect(all.length).toBeGreaterThanOrEqual(4);
    await withSession(database[`${role}Url`], async (session) => {
      await session.query(`select set_config('app.workspace_id', 'ws_a', false)`);
      for (const { name } of all) {
        await expect(session.query(`select from ${name}`), name).rejects.toEqual(DENIED);
        await expect(session.query(`delete from ${name}`), name).rejects.toEqual(DENIED);
        await expect(session.query(`insert into ${name} default values`), name).rejects.toEqual(DENIED);
      }
    });
  });
});

describe('the resolver role', () => {
  it('may not call any function that changes a provider [G12]', async () => {
    await withSession(database.resolverUrl, async (session) => {
      const { rows } = await session.query(`
        select proname from pg_proc
        where pronamespace = 'provider_api'::regnamespace and has_function_privilege(oid, 'execute') order by 1`);
      expect(rows.map(({ proname }) => proname)).toEqual([
        ...['deregister_worker', 'latest_migration', 'list_workers', 'read_workspace', 'record_unreadable'],
        ...['record_use', 'register_worker', 'renew_lease', 'sample_data_keys'],
      ]);
      await expect(session.query(`select provider_api.delete_data_keys('ws_a')`)).rejects.toEqual(DENIED);
    });
  });

  it('reads only the workspace that it names, and leaves the session’s workspace as it was', async () => {
    const [mine, theirs] = [anyWorkspace(), anyWorkspace()];
    const management = openManagementStore({ databaseUrl: database.managerUrl });
    for (const workspace of [mine, theirs]) await management.putProvider(provider(workspace), row(workspace));
    await management.close();
    await withSession(database.resolverUrl, async (session) => {
      for (const outer of ['', 'ws_outer']) {
        await session.query('begin');
        await session.query(`select set_config('app.workspace_id', $1, true)`, [outer]);
        const { rows } = await session.query('select providers from provider_api.read_workspace($1)', [mine]);
        expect(rows[0].providers).toEqual([expect.objectContaining({ config: { note: mine } })]);
        const setting = await session.query(`select current_setting('app.workspace_id') as workspace`);
        expect(setting.rows).toEqual([{ workspace: outer }]);
        await session.query('commit');
      }
    });
  });
});
