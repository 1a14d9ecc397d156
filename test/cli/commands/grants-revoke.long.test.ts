/** `grants revoke` waits until every worker has read the key set, and leaves a file that workers can read. */
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { WorkspaceProviders } from '../../../src/index.js';
import { openProviderStore } from '../../../src/store/provider-store.js';
import { LOOPBACK } from '../../../testbed/loopback.js';
import { uniqueName } from '../../support/parts.js';
import { documentOf, operator } from '../operator.js';
import { CLI, run } from '../run-cli.js';

const op = operator();
const folder = mkdtempSync(join(tmpdir(), 'revoke-'));
const keySet = join(folder, 'keys.json');
afterAll(() => rmSync(folder, { recursive: true }));

const revoke = (...more: string[]) =>
  op.run(['grants', 'revoke', '--key-set', keySet, '--subject', 'ws_acme', ...more]);

beforeAll(() => process.umask(0o022));
beforeEach(() => writeFileSync(keySet, op.grantKeys.keySet));

async function startProviders(grantKeys: string, identity: string) {
  const { databaseUrl, ...store } = { databaseUrl: op.database.resolverUrl, ...op.database.store };
  const listenDatabaseUrl = op.database.settings.PROVIDER_LISTEN_DATABASE_URL;
  const providers = await WorkspaceProviders.connect({
    ...{ databaseUrl, ...store, ...(listenDatabaseUrl && { listenDatabaseUrl }) },
    ...{ rootKeys: op.env.ENCRYPTION_KEY, grantKeys, egress: LOOPBACK, identity, env: {} },
  });
  onTestFinished(() => providers.close());
  await providers.begin();
}

it('waits until each worker has read the set, also under a strict umask, and shows who checks no grants [G3]', async () => {
  await startProviders(keySet, 'agents-1');
  const before = documentOf(await op.run(['workers', '--json'])).workers[0].grantKeys;
  expect(before).toMatch(/^[0-9a-f]{16}$/);
  const args = ['grants', 'revoke', '--key-set', keySet, '--subject', 'ws_acme', '--json'];
  const revoked = await run('sh', ['-c', 'umask 077 && exec "$@"', 'sh', process.execPath, CLI, ...args], {
    env: op.env,
  });
  expect(revoked.exitCode).toBe(0);
  const { workers, warnings } = documentOf(revoked);
  expect(workers).toMatchObject({ complete: true, workers: [{ identity: 'agents-1', outcome: 'read' }] });
  expect(warnings).toEqual([]);
  expect(statSync(keySet).mode & 0o777).toBe(0o644);
  const listed = await op.run(['workers']);
  expect(listed.stdout).toContain(`keys ${workers.revision.slice(0, 8)}`);
  expect(workers.revision).not.toBe(before);
});

it('ends at its limit with a code of its own, and lists who uses another set', async () => {
  await startProviders(op.grantKeys.keySet, 'agents-with-a-fixed-set');
  const revoked = await revoke('--wait-limit', '1s');
  expect(revoked.exitCode).toBe(6);
  expect(revoked.stdout).toMatch(
    /^✔ revoked {5}ws_acme · until \S+\n\? not read {4}1 of 1 worker still use another key set: agents-with-a-fixed-set · /,
  );
});

it('does not wait for a process that checks no grants', async () => {
  const workers = openProviderStore({ databaseUrl: op.database.resolverUrl, ...op.database.store });
  const workerId = uniqueName('worker');
  const facts = { taskQueue: 'none', identity: 'a-resolver', build: 'test', leaseMs: 60_000, longestStepMs: 1_000 };
  await workers.registerWorker({ workerId, ...facts });
  await workers.renewLease(workerId, 0, 5_000);
  onTestFinished(async () => {
    await workers.deregisterWorker(workerId);
    await workers.close();
  });
  const revoked = await revoke();
  expect(revoked).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 check no grants') });
});

it('revokes also while Postgres is away, and says that nobody was asked', async () => {
  const revoked = await op.run(['grants', 'revoke', '--key-set', keySet, '--grant', 'a', '--json'], {
    env: { DATABASE_URL: 'postgres://manager:canary@127.0.0.1:1/none' },
  });
  expect(revoked.exitCode).toBe(6);
  expect(documentOf(revoked)).toMatchObject({
    revoked: { grantId: 'a' },
    error: { type: 'StoreUnavailable', message: expect.stringContaining('the grants were revoked') },
  });
});

it('says if workers will refuse the file', async () => {
  chmodSync(keySet, 0o664);
  const revoked = await revoke('--no-wait');
  expect(revoked).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('others may write the file') });
  expect(statSync(keySet).mode & 0o777).toBe(0o664);
});
