/** The command `init`, and `--env-file` of every command, on their own server: logins belong to a whole server. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PostgresPart, startPostgres } from '../../../src/dev/postgres.js';
import { withSession, withUrl } from '../../support/database.js';
import { documentOf } from '../operator.js';
import { runCli } from '../run-cli.js';

let server: PostgresPart;
let root: string;
beforeAll(async () => {
  server = await startPostgres();
  root = await mkdtemp(join(tmpdir(), 'workspace-providers-init-'));
  await withSession(server.url, async (session) => {
    await session.query('create database app');
    await session.query('create database printed');
  });
});
afterAll(async () => {
  await server?.stop();
  await rm(root, { recursive: true, force: true });
});

const adminOf = (database: string) => ({ PROVIDER_ADMIN_DATABASE_URL: withUrl(server.url, { database }) });
const file = (name: string) => join(root, 'set-up', name);

describe('init', () => {
  it('sets a database up, reports it, and then reports what exists', async () => {
    const args = ['init', '--folder', join(root, 'set-up'), '--json'];
    const first = await runCli(args, { env: adminOf('app') });
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    const { applied, ...done } = documentOf(first);
    expect(applied.length).toBeGreaterThan(5);
    expect(done).toEqual({
      logins: [
        { login: 'app_worker', role: 'provider_resolver', created: true },
        { login: 'app_manager', role: 'provider_manager', created: true },
      ],
      files: ['worker.env', 'starter.env', 'manager.env'].map((name) => ({ path: file(name), written: true })),
      exposed: [],
    });
    const again = await runCli(args.slice(0, -1), { env: adminOf('app') });
    expect(again.stdout).toBe(
      [
        '✔ up to date  no migration to apply',
        '✔ exists      login app_worker · provider_resolver',
        '✔ exists      login app_manager · provider_manager',
        ...['worker.env', 'starter.env', 'manager.env'].map((name) => `✔ exists      ${file(name)}`),
        '',
      ].join('\n'),
    );
  });

  it('with --print prints the settings alone on stdout, and writes no file', async () => {
    const printed = await runCli(['init', '--print', '--folder', join(root, 'none')], { env: adminOf('printed') });
    expect(printed.exitCode).toBe(0);
    const settings = parseEnv(printed.stdout);
    expect(Object.keys(settings).sort()).toEqual([
      'ENCRYPTION_KEY',
      'PROVIDER_DATABASE_URL',
      'PROVIDER_GRANT_KEYS',
      'PROVIDER_GRANT_SIGNING_KEY',
      'PROVIDER_MANAGER_DATABASE_URL',
    ]);
    expect(printed.stderr).toContain('login printed_worker');
    expect(printed.stderr).not.toContain(new URL(settings.PROVIDER_DATABASE_URL ?? '').password);
    expect(await readdir(root)).not.toContain('none');
    const { PROVIDER_MANAGER_DATABASE_URL = '', ENCRYPTION_KEY = '' } = settings;
    const listed = await runCli(['list', 'ws_a'], { env: { PROVIDER_MANAGER_DATABASE_URL, ENCRYPTION_KEY } });
    expect(listed.exitCode).toBe(0);
    const again = await runCli(['init', '--print', '--json'], { env: adminOf('printed') });
    expect(again.exitCode).toBe(2);
    expect(documentOf(again).error.message).toContain('the login printed_worker exists');
  });

  it('with --print --json prints one document', async () => {
    const args = ['init', '--print', '--json', '--login-prefix', 'documented'];
    const document = documentOf(await runCli(args, { env: adminOf('printed') }));
    expect(Object.keys(document)).toEqual(['starter', 'manager', 'worker']);
    expect(new URL(document.worker.PROVIDER_DATABASE_URL).username).toBe('documented_worker');
  });

  it.each([
    [{}, 'PROVIDER_ADMIN_DATABASE_URL'],
    [{ PROVIDER_ADMIN_DATABASE_URL: 'canary.example/app' }, 'must be postgres://login:password@host/database'],
    [{ PROVIDER_ADMIN_DATABASE_UR: 'postgres://x' }, 'did you mean PROVIDER_ADMIN_DATABASE_URL?'],
  ])('is refused with the setting %j', async (env, problem) => {
    const ran = await runCli(['init', '--folder', join(root, 'none')], { env });
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toContain(problem);
    expect(ran.stderr).not.toContain('canary');
    expect(await readdir(root)).not.toContain('none');
  });
});

describe('a command', () => {
  it.each([
    ['--env-file', 'list', 'ws_a'],
    ['list', 'ws_a', '--env-file'],
  ])('takes its settings from the file of --env-file: %s %s %s', async (...words) => {
    const args = words.flatMap((word) => (word === '--env-file' ? [word, file('manager.env')] : [word]));
    expect(await runCli(args)).toMatchObject({ exitCode: 0, stdout: '? empty       ws_a has no providers\n' });
  });

  it('takes several files, of which the last one counts, and the environment before all', async () => {
    const url = (database: string) => `PROVIDER_MANAGER_DATABASE_URL=postgres://x:x@127.0.0.1:1/${database}\n`;
    await writeFile(join(root, 'first.env'), url('first'));
    const [first, own] = [join(root, 'first.env'), file('manager.env')];
    const list = (...files: string[]) => ['list', 'ws_a', ...files.flatMap((path) => ['--env-file', path])];
    expect((await runCli(list(first, own))).exitCode).toBe(0);
    expect((await runCli(list(own, first))).exitCode).toBe(5);
    const env = { PROVIDER_MANAGER_DATABASE_URL: 'postgres://x:x@127.0.0.1:1/environment' };
    expect((await runCli(list(own), { env })).exitCode).toBe(5);
  });

  it('names the file and the line that do not fit, and never the value', async () => {
    await writeFile(join(root, 'wrong.env'), '# comment\nENCRYPTION_KEY=canary\n');
    const args = ['list', 'ws_a', '--env-file', file('starter.env'), '--env-file', join(root, 'wrong.env')];
    const env = { DATABASE_URL: 'postgres://x:x@127.0.0.1:1/app' };
    const ran = await runCli(args, { env });
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toContain(`ENCRYPTION_KEY (${join(root, 'wrong.env')} line 2) entry 1 has no id`);
    expect(ran.stderr).not.toContain('canary');
  });

  it.each([
    ['list', 'worker.env', 'PROVIDER_DATABASE_URL', 'set PROVIDER_MANAGER_DATABASE_URL to'],
    ['migrate', 'worker.env', 'PROVIDER_DATABASE_URL', 'set PROVIDER_ADMIN_DATABASE_URL to'],
    ['migrate', 'manager.env', 'PROVIDER_MANAGER_DATABASE_URL', 'set PROVIDER_ADMIN_DATABASE_URL to'],
    ['init', 'manager.env', 'PROVIDER_MANAGER_DATABASE_URL', 'set PROVIDER_ADMIN_DATABASE_URL to'],
    ['worker', 'manager.env', 'PROVIDER_MANAGER_DATABASE_URL', 'set PROVIDER_DATABASE_URL to'],
  ])('%s with the login of %s says which setting it wants', async (command, name, setting, wanted) => {
    const own = parseEnv(await readFile(file(name), 'utf8'));
    const worker = parseEnv(await readFile(file('worker.env'), 'utf8'));
    const env = {
      DATABASE_URL: own[setting] ?? '',
      ENCRYPTION_KEY: own.ENCRYPTION_KEY ?? '',
      PROVIDER_GRANT_KEYS: worker.PROVIDER_GRANT_KEYS ?? '',
    };
    const args = { list: ['list', 'ws_a'], init: ['init', '--folder', join(root, 'none'), '--login-prefix', 'none'] };
    const ran = await runCli(args[command as 'list'] ?? [command], { env });
    expect(ran.stderr).toContain(wanted);
    expect(ran.exitCode).toBe(2);
  });
});
