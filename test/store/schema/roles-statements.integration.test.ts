/**
 * What each role may send, and that no transaction holds up anyone else: while each stays open, a manager changes a
 * provider of another workspace and proves it to a fence, and a worker renews its lease. On a server with prepared
 * transactions, which outlive their session.
 */
import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { startPostgres } from '../../../src/dev/postgres.js';
import { createTestDatabase, withSession } from '../../support/database.js';
import { useDatabase } from '../../support/use-database.js';
import { provider, row } from '../rows.js';
import { listPrivileges } from './privileges.js';
import { type Attempt, AUDITOR, MANAGER, RESOLVER, TENANT } from './role-statements.js';

const ISOLATION = ['read committed', 'repeatable read', 'serializable'] as const;
const OTHER = provider('ws_other', 'theirs');

const database = useDatabase(async (teardown) => {
  const server = await teardown.use(startPostgres({ settings: { max_prepared_transactions: '5' } }));
  return createTestDatabase(teardown, server.url);
});

beforeAll(async () => {
  const { manager, worker } = database;
  await manager.putProvider(provider('ws_own', 'own'), row('a'));
  await manager.putProvider(OTHER, row('a'));
  const facts = { taskQueue: 'q', identity: 'victim', build: '0', leaseMs: 60_000, longestStepMs: 1_000 };
  await worker.registerWorker({ workerId: 'victim', ...facts });
  await worker.renewLease('victim', 0, 5_000);
});

let changes = 0;
/** Fails if anyone waits for a lock for as long as a statement may take. */
async function othersGoOn(): Promise<void> {
  const { manager, worker } = database;
  await manager.setStatus(OTHER, ++changes % 2 ? 'disabled' : 'active');
  const { epoch } = await manager.readEpoch();
  const renewal = await worker.renewLease('victim', epoch - 1, 5_000);
  expect(renewal).toEqual({ epoch, changed: ['ws_other'], databaseMs: expect.any(Number) });
}

async function outcomeOf(session: pg.Client, statement: string): Promise<string> {
  return session.query(statement).then(
    () => 'allowed',
    (error: { code?: string }) => error.code ?? String(error),
  );
}

async function attempt(url: string, attempts: readonly Attempt[], isolation: string, asRole?: string): Promise<void> {
  const outcomes: Attempt[] = [];
  await withSession(url, async (session) => {
    for (const [statement] of attempts) {
      await session.query(`begin isolation level ${isolation}`);
      if (asRole) await session.query(`set local role ${asRole}`);
      await session.query(`select set_config('app.workspace_id', 'ws_own', true)`);
      outcomes.push([statement, await outcomeOf(session, statement)]);
      await othersGoOn();
      await session.query('rollback');
    }
  });
  expect(outcomes).toEqual(attempts);
}

describe.each(ISOLATION)('in %s', (isolation) => {
  it(`a tenant’s login may write what a person chooses, of ${TENANT.length} statements, and holds up nobody [G12]`, async () => {
    await attempt(database.tenantUrl, TENANT, isolation);
  }, 120_000);

  it(`a worker’s login speaks only for itself, in ${RESOLVER.length} statements, and holds up nobody [G12]`, async () => {
    await attempt(database.resolverUrl, RESOLVER, isolation);
    expect(await database.manager.listWorkers()).toMatchObject([{ workerId: 'victim', state: 'live' }]);
  }, 120_000);

  it(`a manager’s login touches no table and speaks for no worker, in ${MANAGER.length} statements`, async () => {
    await attempt(database.managerUrl, MANAGER, isolation);
  }, 120_000);

  it(`the auditor reads no sealed column and changes nothing, in ${AUDITOR.length} statements [G12]`, async () => {
    await attempt(database.ownerUrl, AUDITOR, isolation, 'provider_auditor');
  });
});

it('none of these statements has changed a right', async () => {
  const privileges = await withSession(database.ownerUrl, listPrivileges);
  await expect(privileges).toMatchFileSnapshot('privileges.txt');
});
