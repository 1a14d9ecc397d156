/** What `status` shows of a fleet, its exit code for scripts, and that it goes on without Temporal. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openManagementStore } from '../../../src/store/management-store.js';
import { sealed } from '../../store/rows.js';
import { withSession } from '../../support/database.js';
import { pastDue } from '../../support/due.js';
import { temporalAddress, uniqueName } from '../../support/parts.js';
import { registerSilentWorker } from '../../support/silent-worker.js';
import { CANARY, documentOf, operator } from '../operator.js';
import { runMeanwhile } from '../running-command.js';

const op = operator();
const withTemporal = () => ({ env: { TEMPORAL_ADDRESS: temporalAddress() } });
const kindsOf = (document: { attention: { kind: string }[] }) => document.attention.map(({ kind }) => kind);

/** With the login of a manager, until the work has ended. */
async function asManager<Result>(work: (store: ReturnType<typeof openManagementStore>) => Promise<Result>) {
  const store = openManagementStore({ databaseUrl: op.database.managerUrl, ...op.database.store });
  return work(store).finally(() => store.close());
}

async function stored(): Promise<{ workspaceId: string; type: string; name: string }> {
  const workspaceId = uniqueName('ws');
  await op.configured(workspaceId, 'mine', CANARY);
  return { workspaceId, type: 'llm', name: 'mine' };
}

describe('status', () => {
  it('ends with 0 if a worker holds a lease and nothing needs a person', async () => {
    await registerSilentWorker(op.database, 3_600_000);
    const ran = await op.run(['status'], withTemporal());
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^✔ schema {6}\d{4}_\w+ · epoch \d+ · lineage [0-9a-f]{8}$/m);
    expect(ran.stdout).toMatch(
      /^agents-9 {2}lease until [\d:.]+ UTC {2}heard .* ago {2}(current|\d+ changes? behind) {2}since /m,
    );
    expect(ran.stdout).toMatch(/^✔ all well/m);
  });

  it('ends with 7 and names what needs a person: no lease, an overdue, a refused and an unreadable credential', async () => {
    await registerSilentWorker(op.database, 1);
    const [overdue, refused, unreadable, fine] = await Promise.all([stored(), stored(), stored(), stored()]);
    await asManager(async (store) => {
      await store.setRotationInterval(overdue, '30 days');
      await store.setRotationInterval(fine, '30 days');
      await store.recordCheck(refused, 1, 'rejected');
      await store.recordCheck(fine, 1, 'ok');
    });
    await pastDue(op.database, overdue);
    await withSession(op.database.ownerUrl, (session) =>
      session.query(
        `insert into provider_events (workspace_id, provider_type, provider_name, version, event, actor)
          values ($1, 'llm', 'mine', 1, 'credential-unreadable', 'agents-9')`,
        [unreadable.workspaceId],
      ),
    );
    const ran = await op.run(['status', '--json'], withTemporal());
    expect(ran.exitCode).toBe(7);
    const document = documentOf(ran);
    expect(kindsOf(document)).toEqual([
      ...['no-worker', 'lease-expired'],
      ...['credential-overdue', 'credential-rejected', 'credential-unreadable'],
    ]);
    const messages = document.attention.map(({ message }: { message: string }) => message).join('\n');
    const { workspaceId } = overdue;
    expect(messages).toContain(`is older than its interval of 30 d`);
    expect(messages).toContain(`run \`workspace-providers rotate ${workspaceId} llm mine\``);
    expect(document.workers).toEqual([
      {
        ...{
          workerId: expect.any(String),
          identity: 'agents-9',
          build: 'test',
          leaseMs: 1,
          appliedEpoch: 0,
          keySet: '',
        },
        ...{ lease: 'expired', behind: expect.any(Number), silentMs: expect.any(Number) },
        ...{ registeredAt: expect.any(String), heardAt: expect.any(String), leaseUntil: expect.any(String) },
      },
    ]);
    expect(document).toMatchObject({
      schema: { applied: expect.stringMatching(/^\d{4}_/), expected: expect.stringMatching(/^\d{4}_/) },
      ...{ epoch: expect.any(Number), lineage: expect.stringMatching(/^[0-9a-f-]{36}$/), cut: false },
      temporal: { reachable: true, namespace: 'default', operationsTaskQueue: 'provider-operations' },
      troubled: [
        { trouble: 'overdue', provider: overdue, version: 1, rotateEveryMs: 30 * 86_400_000 },
        { trouble: 'rejected', provider: refused, version: 1 },
        { trouble: 'unreadable', provider: unreadable, version: 1 },
      ],
    });
    await asManager(async (store) => {
      for (const provider of [overdue, refused, unreadable]) await store.removeProvider(provider);
    });
  });

  it('shows a rotation whose workflow is gone, and what to do about it', async () => {
    const provider = await stored();
    const rotationId = randomUUID();
    await asManager(async (store) => {
      await store.stageRotation({ rotationId, provider, fromVersion: 1, nextEncryptedConfig: sealed('next') });
      await store.beginRotation(rotationId, `rotate/${provider.workspaceId}/llm/mine`);
    });
    const document = documentOf(await op.run(['status', '--json'], withTemporal()));
    expect(document.rotations).toMatchObject([
      { rotationId, provider, state: 'staged', workflow: 'gone', waitsFor: 'the check of its credential' },
    ]);
    expect(kindsOf(document)).toContain('rotation-gone');
    await asManager((store) => store.endRotation(rotationId, { state: 'failed' }));
  });

  it('shows what Postgres says if Temporal does not answer, says so, and ends with 5 if nothing else is wrong', async () => {
    await registerSilentWorker(op.database, 3_600_000);
    const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
    const ran = await op.run(['status', '--json'], { env });
    expect(ran.exitCode).toBe(5);
    const { workers, temporal, attention } = documentOf(ran);
    expect(workers).toMatchObject([{ identity: 'agents-9', lease: 'held' }]);
    expect(temporal).toEqual({
      reachable: false,
      error: { type: 'TemporalUnavailable', message: expect.stringContaining('nothing listens there'), fields: [] },
    });
    expect(attention).toEqual([]);
  });

  it('needs no root key, and no key that signs grants', async () => {
    const env = { ...withTemporal().env, ENCRYPTION_KEY: '', PROVIDER_GRANT_SIGNING_KEY: '' };
    expect((await op.run(['status'], { env })).stdout).toMatch(/^✔ schema/);
  });

  it('reads again and again with --watch, as plain blocks without a terminal, until Ctrl-C', async () => {
    await registerSilentWorker(op.database, 3_600_000);
    const { exitCode, said } = await runMeanwhile(['status', '--watch', '100ms'], {
      env: { ...op.env, ...withTemporal().env },
      said: /all well[\s\S]+all well/,
      act: (command) => command.kill('SIGINT'),
    });
    expect(exitCode).toBe(0);
    expect(said).not.toContain('\u001b');
    expect(said.match(/^✔ schema/gm)?.length).toBeGreaterThanOrEqual(2);
  });

  it('lists at most 100 of each trouble, and says that there are more', async () => {
    await withSession(op.database.ownerUrl, (session) =>
      session.query(
        `insert into workspace_providers (workspace_id, provider_type, provider_name, config, encrypted_config)
          select 'ws_many', 'llm', 'p' || n, '{}', 'a.b.c.d.e' from generate_series(1, 101) as n`,
      ),
    );
    await withSession(op.database.ownerUrl, (session) =>
      session.query(`update workspace_providers set last_check_outcome = 'rejected', last_check_at = now()
        where workspace_id = 'ws_many'`),
    );
    const { troubled, cut } = documentOf(await op.run(['status', '--json'], withTemporal()));
    expect(troubled).toHaveLength(100);
    expect(cut).toBe(true);
  });
});
