/** Set-ups that are broken one by one, on a real Postgres, PgBouncer and Temporal: each is named, with what to do. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { examineSetup, type Machine } from '../../src/doctor/examine-setup.js';
import type { Finding } from '../../src/doctor/finding.js';
import { type PgBouncerPart, startPgBouncer } from '../../testbed/pgbouncer.js';
import { runCli } from '../cli/run-cli.js';
import type { TestDatabase } from '../support/database.js';
import { postgresUrl, temporalAddress, uniqueName } from '../support/parts.js';
import { useRotationStage } from '../support/rotation-stage.js';
import { useStage } from '../support/use-stage.js';
import { BROKEN, BROKEN_DATABASES, type Env, fileIn } from './broken-setups.js';

const stage = useRotationStage();
const around = useStage(async (teardown) => {
  const pooler: PgBouncerPart = await teardown.use(startPgBouncer({ postgresUrl: postgresUrl(), poolSize: 2 }));
  const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-test-'));
  teardown.defer(() => rm(folder, { recursive: true, force: true }));
  await stage.addLlm(uniqueName('ws'));
  return { pooler, folder };
});

/** The settings of a worker, a manager and an administrator together. */
function healthy({ resolverUrl, managerUrl, ownerUrl, settings }: TestDatabase = stage.database): Env {
  const { DATABASE_URL: _worker, ...common } = stage.workerEnv;
  return {
    ...{ ...common, ...stage.grantKeys.starterEnv, ...settings },
    PROVIDER_DATABASE_URL: resolverUrl,
    PROVIDER_MANAGER_DATABASE_URL: managerUrl,
    PROVIDER_ADMIN_DATABASE_URL: ownerUrl,
    PROVIDER_TASK_QUEUE: stage.worker.taskQueue,
  };
}

const MACHINE: Machine = { now: Date.now, nodeVersion: process.version, needsPackage: () => {} };

async function examined(env: Env, machine: Partial<Machine> = {}): Promise<readonly Finding[]> {
  const findings = await examineSetup(env, { ...MACHINE, ...machine });
  const said = JSON.stringify(findings);
  for (const secret of stage.secrets) expect(said).not.toContain(secret);
  return findings;
}

const troubles = (findings: readonly Finding[]) =>
  findings.filter(({ outcome }) => outcome === 'fail' || outcome === 'warn');

describe('examineSetup', () => {
  it('finds nothing in a healthy set-up, of which every check is made', async () => {
    const findings = await examined(healthy());
    expect(findings.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
    expect(findings.length).toBeGreaterThanOrEqual(20);
  });

  it('finds nothing behind a pooler in transaction mode, with the settings for one', async () => {
    const { resolverUrl, managerUrl } = stage.database;
    const findings = await examined({
      ...healthy(),
      PROVIDER_DATABASE_URL: around.pooler.through(resolverUrl),
      PROVIDER_MANAGER_DATABASE_URL: around.pooler.through(managerUrl),
      PROVIDER_LISTEN_DATABASE_URL: resolverUrl,
      PROVIDER_PREPARED_STATEMENTS: 'false',
    });
    expect(troubles(findings)).toEqual([]);
    expect(findings).toContainEqual(
      expect.objectContaining({ message: expect.stringMatching(/worker connects through a pooler/) }),
    );
  });

  test.each(BROKEN)('names only the fault and what to do, if %s', async (_, check, says, broken) => {
    const { env, machine } = await broken({ stage, ...around });
    const found = troubles(await examined({ ...healthy(), ...env }, machine));
    expect(found.map((each) => each.check)).toEqual([check]);
    expect(found[0]?.message).toMatch(says);
  });

  test.each(BROKEN_DATABASES)('names the fault and what to do, if %s', async (_, check, says, broken) => {
    const { env, database } = await broken({ stage, ...around });
    const found = troubles(await examined({ ...healthy(database), ...env }));
    expect(found).toContainEqual(expect.objectContaining({ check, message: expect.stringMatching(says) }));
  });

  it('skips what it has no settings for, and says which', async () => {
    const { PROVIDER_DATABASE_URL: _url, PROVIDER_GRANT_KEYS: _keys, ...manager } = healthy();
    const findings = await examined(manager);
    expect(troubles(findings)).toEqual([]);
    const skippedChecks = findings.filter(({ outcome }) => outcome === 'skipped');
    expect(skippedChecks.map(({ check }) => check)).toEqual(['worker login', 'one database', 'listening', 'grants']);
    expect(skippedChecks[0]?.message).toMatch(/PROVIDER_DATABASE_URL is not set: add the settings of a worker/);
  });
});

describe('the command doctor', () => {
  it('ends with 0 if all is well, and prints one object with --json', async () => {
    const ran = await runCli(['doctor', '--json'], { env: healthy() });
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    const { outcome, checks } = JSON.parse(ran.stdout);
    expect(outcome).toBe('ok');
    expect(checks[0]).toEqual({ check: 'node', outcome: 'ok', message: `Node ${process.version}` });
  });

  it('ends with 7 if a check failed, and prints a line per check', async () => {
    const { TEMPORAL_ADDRESS: _address, ...env } = healthy();
    const config = await fileIn(
      around.folder,
      'temporal.env',
      `TEMPORAL_ADDRESS=${temporalAddress()}\nTEMPORAL_NAMESPACE=default\n`,
    );
    const args = ['doctor', '--env-file', config, '--task-queue', 'nobody'];
    const ran = await runCli(args, { env });
    expect(ran).toMatchObject({ exitCode: 7, stderr: '' });
    expect(ran.stdout).toContain('✔ ok          worker login · ');
    expect(ran.stdout).toContain('✖ failed      steps polled · no worker polls the task queue nobody: ');
  });

  it('refuses to run if no certificate would be verified, and says what to do', async () => {
    const ran = await runCli(['doctor'], { env: { ...healthy(), NODE_TLS_REJECT_UNAUTHORIZED: '0' } });
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toMatch(/NODE_TLS_REJECT_UNAUTHORIZED is 0.*remove it/);
  });
});
