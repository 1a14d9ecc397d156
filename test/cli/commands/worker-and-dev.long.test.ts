/** The commands that keep running, on an existing Temporal and Postgres: a line once they are ready, a clean exit. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect, it, onTestFinished, vi } from 'vitest';
import { temporalAddress, uniqueName } from '../../support/parts.js';
import { CANARY, documentOf, NEXT_CANARY, operator } from '../operator.js';
import { type RunningCommand, startCommand } from '../running-command.js';

/** A start makes a workflow bundle, on a machine that may be busy. */
vi.setConfig({ testTimeout: 180_000 });

const op = operator();

async function start(args: readonly string[], env: Readonly<Record<string, string>>): Promise<RunningCommand> {
  const command = await startCommand(args, env);
  onTestFinished(() => command.end('SIGKILL').then(() => {}));
  return command;
}

it('worker runs until SIGTERM', async () => {
  const settings = { ENCRYPTION_KEY: op.env.ENCRYPTION_KEY, DATABASE_URL: op.database.resolverUrl };
  const worker = await start(['worker', '--json'], { ...settings, ...op.grantKeys.workerEnv });
  expect(worker.document).toMatchObject({ event: 'ready', temporal: temporalAddress(), namespace: 'default' });
  expect(await worker.end('SIGTERM')).toBe(0);
});

it("worker refuses an administrator's login", async () => {
  const refused = await op.run(['worker', '--json'], {
    env: { DATABASE_URL: op.database.ownerUrl, ...op.grantKeys.workerEnv },
  });
  expect(refused.exitCode).toBe(2);
  expect(documentOf(refused).error).toMatchObject({ type: 'SetupInvalid', fields: ['PROVIDER_DATABASE_URL'] });
});

it('dev runs rotations on servers of your own, with files for the other commands, which Ctrl-C deletes', async () => {
  const { ENCRYPTION_KEY } = op.env;
  const queue = { PROVIDER_OPERATIONS_TASK_QUEUE: uniqueName('dev') };
  const folder = join(await mkdtemp(join(tmpdir(), 'workspace-providers-dev-test-')), 'dev');
  onTestFinished(() => rm(dirname(folder), { recursive: true, force: true }));
  const args = ['dev', '--json', '--folder', folder];
  const dev = await start(args, { ENCRYPTION_KEY, DATABASE_URL: op.database.ownerUrl, ...queue });
  expect(dev.document).toMatchObject({ event: 'ready', temporal: temporalAddress(), keepsData: false, movedFrom: [] });
  const { manager } = dev.document.files as { readonly manager: string };
  const env = parseEnv(readFileSync(manager, 'utf8')) as Record<string, string>;
  const provider = [uniqueName('ws'), 'llm', 'mine'];
  const baseURL = `baseURL=${op.service.baseURL}`;
  const configured = await op.run(['configure', ...provider, '--set', baseURL], { env, stdin: CANARY });
  expect(configured).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 of 1 worker answered') });
  const rotated = await op.run(['rotate', ...provider, '--json'], { env, stdin: NEXT_CANARY });
  expect(documentOf(rotated)).toMatchObject({ state: 'drained', fromVersion: 1, toVersion: 2 });

  expect(await dev.end('SIGINT')).toBe(0);
  expect(existsSync(folder)).toBe(false);
  for (const secret of [ENCRYPTION_KEY, new URL(env.PROVIDER_MANAGER_DATABASE_URL ?? '').password])
    expect(dev.said()).not.toContain(secret);
  const gone = await op.run(['list', 'ws_acme', '--json'], { env });
  expect(documentOf(gone).error).toMatchObject({ message: expect.stringContaining('refuses the login') });
});

it('dev creates no root key for a database that it did not start', async () => {
  const refused = await op.run(['dev', '--json'], { env: { DATABASE_URL: op.database.ownerUrl, ENCRYPTION_KEY: '' } });
  expect(refused.exitCode).toBe(2);
  expect(documentOf(refused).error).toMatchObject({ type: 'SetupInvalid', fields: ['ENCRYPTION_KEY'] });
});
