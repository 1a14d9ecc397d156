/**
 * A migrated database of one's own for a test, on the Postgres that the run started: cloned from a template, which is
 * made once and named by a hash of the schema files, so that a changed file makes a new template.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { inject } from 'vitest';
import { createLogin } from '../../src/store/logins.js';
import { migrate } from '../../src/store/migrate.js';
import { SCHEMA_FOLDER } from '../../src/store/migration-files.js';
import { withSession } from '../../src/store/session.js';
import { startPgBouncer } from '../../testbed/pgbouncer.js';
import { type RestartablePostgres, startRestartablePostgres } from '../../testbed/restartable-postgres.js';
import { behindPooler, type StageDatabase, withLogins } from '../../testbed/stage-database.js';
import type { Teardown } from '../../testbed/teardown.js';

export { withSession };

export interface TestDatabase extends StageDatabase {
  readonly tenantUrl: string;
}

/** Any number, the same in all test files. */
const TEMPLATE_LOCK = 461_011;

/** The database is dropped at the end, which fails if a connection was left open. */
export async function createTestDatabase(
  teardown: Teardown,
  serverUrl: string = inject('postgresUrl'),
): Promise<TestDatabase> {
  const database = `test_${randomBytes(6).toString('hex')}`;
  await withSession(serverUrl, async (server) => {
    await server.query(`create database ${database} template ${await templateDatabase(server, serverUrl)}`);
  });
  const ownerUrl = withUrl(serverUrl, { database });
  const logins = await withLogins(ownerUrl);
  const tenantUrl = await createLogin(ownerUrl, 'provider_tenant');
  teardown.defer(() =>
    withSession(serverUrl, async (server) => {
      await server.query(`drop database ${database}`);
      for (const url of [logins.resolverUrl, logins.managerUrl, tenantUrl]) {
        await server.query(`drop role ${new URL(url).username}`);
      }
    }),
  );
  return { ...logins, tenantUrl };
}

/** For stages. With TEST_POOLER=1, workers and managers reach the database through a PgBouncer in transaction mode. */
export async function createStageDatabase(
  teardown: Teardown,
  serverUrl: string = inject('postgresUrl'),
): Promise<TestDatabase> {
  const database = await createTestDatabase(teardown, serverUrl);
  if (process.env.TEST_POOLER !== '1') return database;
  const log = (line: string) => console.error(line);
  return behindPooler(database, await teardown.use(startPgBouncer({ postgresUrl: serverUrl, log })));
}

/** A server for tests that stop it and start it again. */
export async function startOwnPostgres(teardown: Teardown): Promise<RestartablePostgres> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'workspace-providers-test-'));
  teardown.defer(() => rm(dataFolder, { recursive: true, force: true }));
  return teardown.use(startRestartablePostgres({ dataFolder }));
}

/** The same server, another database or login. */
export function withUrl(url: string, to: { database?: string; login?: string; password?: string }): string {
  const changed = new URL(url);
  if (to.database !== undefined) changed.pathname = `/${to.database}`;
  if (to.login !== undefined) changed.username = to.login;
  if (to.password !== undefined) changed.password = to.password;
  return changed.href;
}

async function templateDatabase(server: pg.Client, serverUrl: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of readdirSync(SCHEMA_FOLDER).sort()) hash.update(readFileSync(join(SCHEMA_FOLDER, file)));
  const template = `template_${hash.digest('hex').slice(0, 12)}`;
  await server.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
  try {
    const { rowCount } = await server.query('select from pg_database where datname = $1', [template]);
    if (rowCount) return template;
    // Under its final name only when it is whole: a run that was killed leaves none that is half migrated.
    await server.query('drop database if exists template_unfinished');
    await server.query('create database template_unfinished');
    await migrate(withUrl(serverUrl, { database: 'template_unfinished' }));
    await server.query(`alter database template_unfinished rename to ${template}`);
    return template;
  } finally {
    await server.query('select pg_advisory_unlock($1)', [TEMPLATE_LOCK]);
  }
}
