import { readFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type PostgresPart, startPostgres } from '../../src/dev/postgres.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';
import { openManagementStore } from '../../src/store/management-store.js';
import { openProviderStore } from '../../src/store/provider-store.js';
import { createTestDatabase } from '../support/database.js';
import { useDatabase } from '../support/use-database.js';
import { anyWorkspace, provider, row } from './rows.js';

type Opened = 'worker' | 'manager';

async function preflight(databaseUrl: string, as: Opened = 'worker'): Promise<void> {
  const store = (as === 'worker' ? openProviderStore : openManagementStore)({ databaseUrl });
  try {
    await store.preflight();
  } finally {
    await store.close();
  }
}

function loginOf(url: string): string {
  return new URL(url).username;
}

describe.each([
  ['worker', 'provider_resolver', 'read', 'provider_manager'],
  ['manager', 'provider_manager', 'manage', 'provider_resolver'],
] as const)('preflight of a %s', (as, role, does, otherRole) => {
  // Roles belong to a whole server, and one of the changes below is to a role of the schema: the server is its own.
  const database = useDatabase(async (teardown) => {
    const { url } = await teardown.use(startPostgres());
    return createTestDatabase(teardown, url);
  });

  /** What a statement of the superuser changes, as long as `work` lasts. */
  async function changed<Result>(statement: string, undo: string, work: () => Promise<Result>): Promise<Result> {
    await database.query(statement);
    try {
      return await work();
    } finally {
      await database.query(undo);
    }
  }

  const setting = as === 'worker' ? 'PROVIDER_DATABASE_URL' : 'PROVIDER_MANAGER_DATABASE_URL';
  const url = () => (as === 'worker' ? database.resolverUrl : database.managerUrl);
  const refused = (databaseUrl: string, why: string) =>
    expect(preflight(databaseUrl, as)).rejects.toMatchObject({
      type: 'SetupInvalid',
      message: expect.stringContaining(why),
      facts: { fields: [setting] },
    });

  it('accepts a login that was granted its role', async () => {
    await preflight(url(), as);
  });

  it('refuses a superuser [G14]', async () => {
    await refused(
      database.ownerUrl,
      `is, or can become, a superuser or a role with BYPASSRLS: set ${setting} to the URL of a login that is granted only ${role}`,
    );
  });

  it('refuses a login that can access the tables', async () => {
    await refused(
      database.tenantUrl,
      `the database login can access tables (provider_events, provider_use, workspace_keys, workspace_providers): revoke its table privileges, or set ${setting} to the URL of`,
    );
  });

  it.each([
    ['BYPASSRLS', 'alter role LOGIN bypassrls', 'alter role LOGIN nobypassrls', 'a superuser or a role with BYPASSRLS'],
    [
      'membership in the owner',
      'grant provider_owner to LOGIN',
      'revoke provider_owner from LOGIN',
      'owns tables or functions, or can become their owner (provider_owner)',
    ],
    [
      'membership in the auditor',
      'grant provider_auditor to LOGIN',
      'revoke provider_auditor from LOGIN',
      'owns tables or functions, or can become their owner (provider_auditor)',
    ],
    [
      'membership in the tenant role, even if it is not inherited',
      'alter role LOGIN noinherit; grant provider_tenant to LOGIN',
      'revoke provider_tenant from LOGIN; alter role LOGIN inherit',
      'can access tables',
    ],
    [
      'access to one column of one table',
      'grant select (kid) on workspace_keys to LOGIN',
      'revoke select (kid) on workspace_keys from LOGIN',
      'can access tables (workspace_keys)',
    ],
    [
      'no role at all',
      `revoke ${role} from LOGIN`,
      `grant ${role} to LOGIN`,
      `cannot ${does} providers: grant it ${role}, or set ${setting} to the URL of a login that is granted only ${role}`,
    ],
    [
      'only the other role',
      `revoke ${role} from LOGIN; grant ${otherRole} to LOGIN`,
      `revoke ${otherRole} from LOGIN; grant ${role} to LOGIN`,
      `cannot ${does} providers: grant it ${role}, or set ${setting} to the URL of a login that is granted only ${role}`,
    ],
  ])('refuses a login with %s [G14]', async (_, statement, undo, why) => {
    const login = loginOf(url());
    await changed(statement.replaceAll('LOGIN', login), undo.replaceAll('LOGIN', login), () => refused(url(), why));
    await preflight(url(), as);
  });

  const OWN_WORKSPACE = `(workspace_id = nullif(current_setting('app.workspace_id', true), ''))`;
  const READ_WORKSPACE = 'alter function provider_api.read_workspace';

  it.each([
    [
      'a table whose row-level security is not forced',
      'alter table provider_rotations no force row level security',
      'alter table provider_rotations force row level security',
      'not in force on provider_rotations: run `workspace-providers migrate --repair`',
    ],
    [
      'tables without row-level security',
      'alter table workspace_keys disable row level security; alter table provider_events disable row level security',
      'alter table workspace_keys enable row level security; alter table provider_events enable row level security',
      'not in force on provider_events, workspace_keys: run `workspace-providers migrate --repair`',
    ],
    [
      'a table that was added without row-level security',
      'set role provider_owner; create table public.unwalled (); reset role',
      'drop table public.unwalled',
      'not in force on unwalled: run `workspace-providers migrate --repair`',
    ],
    [
      'a table whose policy is missing',
      'drop policy only_functions on resolver_workers',
      'create policy only_functions on resolver_workers to provider_owner using (true) with check (true)',
      'policy of resolver_workers is missing or was changed: run `workspace-providers migrate --repair`',
    ],
    [
      'a workspace policy that lets everyone in',
      'alter policy own_workspace on workspace_keys using (true)',
      `alter policy own_workspace on workspace_keys using ${OWN_WORKSPACE}`,
      'policy of workspace_keys is missing or was changed',
    ],
    [
      'an additional policy for everyone',
      'create policy support on workspace_providers for select using (true)',
      'drop policy support on workspace_providers',
      'a policy that is not part of the schema opens row-level security (support on workspace_providers): run `workspace-providers migrate --repair`',
    ],
    [
      'an owner that may see what the auditor sees',
      'grant provider_auditor to provider_owner',
      'revoke provider_auditor from provider_owner',
      'a policy that is not part of the schema opens row-level security (auditor_reads on workspace_keys, auditor_reads on workspace_providers)',
    ],
    [
      'functions whose owner bypasses row-level security',
      `${READ_WORKSPACE} owner to postgres`,
      `${READ_WORKSPACE} owner to provider_owner`,
      'does not bind the owner of read_workspace: run `alter function provider_api.… owner to provider_owner`',
    ],
    [
      'a function whose search_path is not pinned',
      `${READ_WORKSPACE} reset search_path`,
      `${READ_WORKSPACE} set search_path = pg_catalog, pg_temp`,
      'search_path is not pinned by read_workspace: run `alter function provider_api.… set search_path = pg_catalog, pg_temp`',
    ],
    [
      'functions with a different search_path',
      `${READ_WORKSPACE} set search_path = public, pg_catalog; alter function provider_api.list_data_keys set search_path = pg_catalog`,
      `${READ_WORKSPACE} set search_path = pg_catalog, pg_temp; alter function provider_api.list_data_keys set search_path = pg_catalog, pg_temp`,
      'search_path is not pinned by list_data_keys, read_workspace',
    ],
  ])('refuses %s [G14]', async (_, change, undo, why) => {
    await changed(change, undo, () => refused(url(), why));
  });

  it('refuses a database that is older than this build, and accepts a newer one', async () => {
    const LATEST = `(select max(name) from provider_api.migrations)`;
    const RENAME = `update provider_api.migrations set name =`;
    await changed(
      `${RENAME} '0000_older' || id where true`,
      `${RENAME} '9999_newer' where id = (select max(id) from provider_api.migrations)`,
      () =>
        expect(preflight(url(), as)).rejects.toMatchObject({
          type: 'SetupInvalid',
          message: 'the database is older than this build: run `workspace-providers migrate`',
        }),
    );
    await preflight(url(), as);
    expect((await database.query(`select ${LATEST} as name`)).rows).toEqual([{ name: '9999_newer' }]);
  });
});

describe('a workspace with every type of provider', () => {
  const database = useDatabase();

  it('is read by a worker without the admin credentials that no step may open, and by a manager whole [G15]', async () => {
    const workspaceId = anyWorkspace();
    const types = [...ProviderTypes.builtIn.names, 'pinecone', 'pinecone-admin', 'administrator'].sort();
    for (const type of types) await database.manager.putProvider(provider(workspaceId, 'any', type), row('x'));
    const worker = openProviderStore({ databaseUrl: database.resolverUrl });
    onTestFinished(() => worker.close());
    const typesRead = async (store: Pick<typeof worker, 'readWorkspace'>) =>
      (await store.readWorkspace(workspaceId)).providers.map(({ type }) => type).sort();
    expect(types).toContain('llm-admin');
    expect(await typesRead(worker)).toEqual(types.filter((type) => !type.endsWith('-admin')));
    expect(await typesRead(database.manager)).toEqual(types);
  });
});

describe('on a server that logs each statement', () => {
  let server: PostgresPart;
  const database = useDatabase(async (teardown) => {
    server = await teardown.use(startPostgres({ settings: { log_statement: 'all' } }));
    return createTestDatabase(teardown, server.url);
  });

  async function statementsIn(log: string): Promise<string[]> {
    const lines = (await readFile(log, 'utf8')).split('\n').slice(logged);
    return lines.flatMap((line) => line.match(/(?:execute [^:]+|statement): .*/)?.[0] ?? []);
  }
  let logged = 0;

  it.each([
    [true, 'execute read_workspace: '],
    [false, 'execute <unnamed>: '],
  ])('a read takes one statement (prepared: %s)', async (preparedStatements, execute) => {
    const store = openProviderStore({ databaseUrl: database.resolverUrl, preparedStatements, maxConnections: 1 });
    logged = (await readFile(server.logFile, 'utf8')).split('\n').length - 1;
    for (let turn = 0; turn < 3; turn += 1) await store.readWorkspace('ws_a');
    const text = 'select epoch, lineage, data_keys, providers from provider_api.read_workspace($1)';
    expect(await statementsIn(server.logFile)).toEqual([text, text, text].map((statement) => execute + statement));
    await store.close();
    await store.close();
  });

  it('the preflight reports a database that is not migrated', async () => {
    const login = loginOf(database.resolverUrl);
    const resolver = new URL(database.resolverUrl);
    resolver.pathname = '/postgres';
    expect(resolver.username).toBe(login);
    await expect(preflight(resolver.href)).rejects.toMatchObject({
      type: 'SetupInvalid',
      message: 'the database is not migrated: run `workspace-providers migrate`',
    });
  });
});
