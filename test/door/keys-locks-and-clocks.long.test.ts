/** Broken set-ups that show only with data: a foreign root key, a lock that somebody holds, a start that fails late. */
import { describe, expect, test } from 'vitest';
import { newRootKey, operator } from '../cli/operator.js';
import { withSession } from '../support/database.js';
import { temporalAddress, uniqueName } from '../support/parts.js';
import { CANARY, checkWrong } from './door.js';

const op = operator();

const settings = () => ({
  ...op.env,
  PROVIDER_DATABASE_URL: op.database.resolverUrl,
  PROVIDER_MANAGER_DATABASE_URL: op.database.managerUrl,
});

describe('a foreign root key', () => {
  test('is named by list, for each provider', async () => {
    const workspaceId = uniqueName('ws');
    await op.configured(workspaceId, 'mine', CANARY);
    const listed = await op.run(['list', workspaceId], { env: { ENCRYPTION_KEY: newRootKey() } });
    expect(listed).toMatchObject({ exitCode: 4, stderr: '' });
    expect(listed.stdout).toContain('does not open: check that ENCRYPTION_KEY has its root key, or configure it again');
  });

  test('is refused when a worker starts, and leaves no row that a fence would wait for', async () => {
    await op.configured(uniqueName('ws'), 'mine', CANARY);
    await checkWrong({
      run: ['worker'],
      env: { ...settings(), ENCRYPTION_KEY: newRootKey() },
      exits: 2,
      says: [
        'ENCRYPTION_KEY has no root key that opens the credentials of this database, which are sealed under stage',
      ],
    });
    await expectNoWorkers();
  });
});

test('a worker with a wrong URL of the manager leaves no row that a fence would wait for', async () => {
  const wrong = new URL(op.database.managerUrl);
  wrong.password = CANARY;
  await checkWrong({
    run: ['worker'],
    env: { ...settings(), TEMPORAL_ADDRESS: temporalAddress(), PROVIDER_MANAGER_DATABASE_URL: wrong.href },
    exits: 2,
    says: ['Postgres refuses the login: check its name and password in PROVIDER_MANAGER_DATABASE_URL'],
  });
  await expectNoWorkers();
});

test('a change that waits for a lock is given up, says who holds it, and is not made later', async () => {
  const workspaceId = uniqueName('ws');
  await op.configured(workspaceId, 'mine', CANARY);
  await withSession(op.database.ownerUrl, async (session) => {
    const { rows } = await session.query<{ pid: number }>('select pg_backend_pid() as pid');
    await session.query('begin');
    await session.query('select from workspace_providers where workspace_id = $1 for update', [workspaceId]);
    await checkWrong({
      run: ['remove', workspaceId, 'llm', 'mine', '--yes'],
      env: settings(),
      exits: 5,
      says: [
        'a statement waited for a lock for too long; nothing was changed: ',
        `process ${rows[0]?.pid} (login postgres, program workspace-providers) holds the lock`,
        `run \`select pg_terminate_backend(${rows[0]?.pid})\``,
      ],
    });
    await session.query('commit');
  });
  const listed = await op.run(['list', workspaceId]);
  expect(listed.stdout).toContain('llm/mine');
});

async function expectNoWorkers(): Promise<void> {
  const { rows } = await withSession(op.database.ownerUrl, (session) =>
    session.query('select count(*)::integer as workers from resolver_workers'),
  );
  expect(rows).toEqual([{ workers: 0 }]);
}
