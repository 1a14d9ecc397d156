/** `dev` for a worker of one's own: its files, its ports, the data that it keeps, and what it leaves behind. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { isListening } from '../../../src/dev/ports.js';
import { isRunning, type ProcessMark } from '../../../src/dev/process-marks.js';
import { type LlmStandIn, startLlmStandIn } from '../../../testbed/standins/llm.js';
import { withSession } from '../../support/database.js';
import { CANARY, documentOf, operator } from '../operator.js';
import { runCli } from '../run-cli.js';
import { type RunningCommand, startCommand } from '../running-command.js';
import { createOwnProject, type OwnProject } from './own-project.js';

/** Each start makes a cluster and a workflow bundle, on a machine that may be busy. */
vi.setConfig({ testTimeout: 240_000 });

const WORKSPACE = 'ws_acme';
/** What tests of other commands set, and `dev` must not need. */
const UNSET = { TEMPORAL_ADDRESS: '', PROVIDER_TASK_QUEUE: '', PROVIDER_OPERATIONS_TASK_QUEUE: '' };

const op = operator();
let llm: LlmStandIn;
let project: OwnProject;
let folder: string;

beforeAll(async () => {
  llm = await startLlmStandIn({ keys: [{ provider: 'anthropic', key: CANARY, owner: WORKSPACE }] });
});

afterAll(() => llm?.stop());

afterEach(() => project?.remove());

async function start(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<RunningCommand> {
  const dev = await startCommand(['dev', '--json', '--folder', folder, ...args], { ...UNSET, ...env });
  onTestFinished(() => dev.end('SIGKILL').then(() => {}));
  return dev;
}

async function newProject(): Promise<void> {
  project = await createOwnProject();
  folder = join(project.folder, '.workspace-providers/dev');
}

const filesOf = (dev: RunningCommand) => dev.document.files as Record<'worker' | 'starter' | 'manager', string>;
const settingsOf = (dev: RunningCommand, part: 'worker' | 'manager') =>
  parseEnv(readFileSync(filesOf(dev)[part], 'utf8'));
const recordOf = (path: string) =>
  JSON.parse(readFileSync(join(path, 'run.json'), 'utf8')) as {
    readonly owner: ProcessMark;
    readonly servers: readonly (ProcessMark & { readonly scratchFolder: string })[];
    readonly logins: readonly { readonly name: string }[];
  };

const configure = (dev: RunningCommand) => {
  const service = [`baseURL=${llm.baseUrls.anthropic.sdk}`, 'model=claude-sonnet-5-5'].flatMap((each) => [
    '--set',
    each,
  ]);
  return runCli(['--env-file', filesOf(dev).manager, 'configure', WORKSPACE, 'llm', 'anthropic', ...service], {
    stdin: CANARY,
  });
};

describe("a user's worker and starter", () => {
  it('serve workflows with nothing but the files of dev, whose data, root key and logins a second run keeps', async () => {
    await newProject();
    const first = await start(['--keep']);
    expect(first.document).toMatchObject({ event: 'ready', exampleTaskQueue: 'dev-example', keepsData: true });
    for (const path of Object.values(filesOf(first))) expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await configure(first)).toMatchObject({ exitCode: 0, stderr: '' });
    const worker = await project.startWorker(filesOf(first).worker);
    const answer = { exitCode: 0, said: `claude-sonnet-5-5 answers with the key of ${WORKSPACE}` };
    expect(await project.ask(filesOf(first).starter, WORKSPACE)).toEqual(answer);
    const refused = await project.ask(filesOf(first).starter, 'ws_nobody');
    expect(refused).toMatchObject({ exitCode: 1, said: expect.stringContaining('ws_nobody has no llm/anthropic') });
    await worker.stop();
    const settings = settingsOf(first, 'manager');
    expect(await first.end('SIGTERM')).toBe(0);
    expect(await isListening(Number(new URL(settings.PROVIDER_MANAGER_DATABASE_URL ?? '').port))).toBe(false);

    const refusedAfresh = await runCli(['dev', '--json', '--folder', folder], { env: UNSET });
    expect(documentOf(refusedAfresh).error).toMatchObject({ type: 'SetupInvalid', fields: ['--folder'] });

    const second = await start(['--keep']);
    expect(filesOf(second)).toEqual(filesOf(first));
    expect(settingsOf(second, 'manager').ENCRYPTION_KEY).toBe(settings.ENCRYPTION_KEY);
    const login = (url = '') => new URL(url).username;
    const { PROVIDER_MANAGER_DATABASE_URL } = settingsOf(second, 'manager');
    expect(login(PROVIDER_MANAGER_DATABASE_URL)).toBe(login(settings.PROVIDER_MANAGER_DATABASE_URL));
    await project.startWorker(filesOf(second).worker);
    expect(await project.ask(filesOf(second).starter, WORKSPACE)).toEqual(answer);
    expect(await second.end('SIGHUP')).toBe(0);
    expect((await readdir(folder)).sort()).toEqual(
      ['.gitignore', 'data', 'manager.env', 'run.json', 'starter.env', 'worker.env'].sort(),
    );
  });

  it('have other ports, and dev says so, if the usual ones are in use', async () => {
    await newProject();
    const blocker = createServer();
    await new Promise<void>((resolve) =>
      blocker.once('error', () => resolve()).listen(7233, '127.0.0.1', () => resolve()),
    );
    onTestFinished(() => new Promise<void>((resolve) => blocker.close(() => resolve())));
    const dev = await start();
    expect(dev.document.movedFrom).toContainEqual({ server: 'Temporal', port: 7233 });
    const address = String(dev.document.temporal);
    expect(address).toMatch(/^127\.0\.0\.1:(?!7233$)\d+$/);
    expect(settingsOf(dev, 'worker').TEMPORAL_ADDRESS).toBe(address);
    const again = await runCli(['dev', '--json', '--folder', folder], { env: UNSET });
    expect(again.exitCode).toBe(2);
    expect(documentOf(again).error.message).toContain(`dev already runs in ${folder}, as process ${dev.document.pid}`);
    expect(await dev.end('SIGINT')).toBe(0);
    expect(existsSync(folder)).toBe(false);
  });
});

describe('after a SIGKILL', () => {
  const loginsOfDev = () =>
    withSession(op.database.ownerUrl, async (session) => {
      const { rows } = await session.query("select rolname from pg_roles where rolname like 'dev\\_%'");
      return rows.map(({ rolname }) => rolname as string);
    });

  it('the next start ends the servers, and removes the files and the logins that the killed run left', async () => {
    await newProject();
    const own = { DATABASE_URL: op.database.ownerUrl, ENCRYPTION_KEY: op.env.ENCRYPTION_KEY };
    const killed = await start([], own);
    const { servers, logins } = recordOf(folder);
    const [temporal] = servers;
    const names = logins.map(({ name }) => name);
    expect(await loginsOfDev()).toEqual(expect.arrayContaining(names));
    await killWatchersOf(servers.map(({ pid }) => pid));
    await killed.end('SIGKILL');
    // A positive control: all of it is left.
    expect(temporal && (await isRunning(temporal)) && existsSync(temporal.scratchFolder)).toBe(true);
    expect(settingsOf(killed, 'worker').ENCRYPTION_KEY).toBe(own.ENCRYPTION_KEY);

    const next = await start([], own);
    expect(temporal && ((await isRunning(temporal)) || existsSync(temporal.scratchFolder))).toBe(false);
    const left = await loginsOfDev();
    for (const name of names) expect(left).not.toContain(name);
    const { logins: nextLogins } = recordOf(folder);
    expect(await next.end('SIGINT')).toBe(0);
    expect(existsSync(folder)).toBe(false);
    expect((await loginsOfDev()).filter((name) => nextLogins.some((login) => login.name === name))).toEqual([]);
    expect(next.said()).not.toContain(own.ENCRYPTION_KEY);
  });
});

/** Only a `kill -9` of everything leaves a server behind: each has a watcher, which would stop it. */
async function killWatchersOf(pids: readonly number[]): Promise<void> {
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-eo', 'pid=,args=']);
  const watchers = stdout.split('\n').filter((each) => pids.some((pid) => each.includes(`watcher ${pid} `)));
  expect(watchers).toHaveLength(pids.length);
  for (const each of watchers) process.kill(Number.parseInt(each, 10), 'SIGKILL');
}

describe('dev refuses', () => {
  it('a folder with a set-up that it did not make', async () => {
    await newProject();
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'worker.env'), 'PROVIDER_DATABASE_URL=mine\n');
    const refused = await runCli(['dev', '--json', '--folder', folder], { env: UNSET });
    expect(refused.exitCode).toBe(2);
    expect(documentOf(refused).error).toMatchObject({
      type: 'SetupInvalid',
      message: `${folder} has the files of a set-up that dev did not make: give dev another --folder`,
    });
    expect(readFileSync(join(folder, 'worker.env'), 'utf8')).toBe('PROVIDER_DATABASE_URL=mine\n');
  });

  it('a record that names anything else to end or remove than its own servers', async () => {
    await newProject();
    await mkdir(folder, { recursive: true });
    const server = { pid: process.pid, startedAt: '1', stopSignal: 'SIGTERM', scratchFolder: project.folder };
    const login = { name: 'postgres', database: 'localhost/postgres' };
    for (const planted of [
      { servers: [server], logins: [] },
      { servers: [], logins: [login] },
    ]) {
      await writeFile(join(folder, 'run.json'), JSON.stringify({ keepsData: false, ...planted }));
      const refused = await runCli(['dev', '--json', '--folder', folder], { env: UNSET });
      expect(documentOf(refused).error.message).toContain('is not a record of dev');
    }
    expect(existsSync(join(project.folder, 'worker.js'))).toBe(true);
  });

  it('to start without what it needs, with all of it in one message and in JSON', async () => {
    await newProject();
    const missing = await runCli(['dev', '--json', '--folder', folder], {
      env: { ...UNSET, TEMPORAL_CLI_PATH: '/missing' },
    });
    expect(missing.exitCode).toBe(5);
    const { type, message } = documentOf(missing).error;
    expect(type).toBe('PartUnavailable');
    expect(message).toBe(
      'TEMPORAL_CLI_PATH must be an executable file, and /missing is not. Or set TEMPORAL_ADDRESS to a server that runs already.',
    );
    expect(existsSync(folder)).toBe(false);
  });
});
