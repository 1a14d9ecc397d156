/**
 * Runs the programs of docker-compose.yml without containers, with the commands and environments that the file gives
 * them, on a Postgres with its logins and on the Temporal server of the test run. Only hosts, passwords, folders and
 * task queues are replaced; the task queues so that tests stay apart. Needs a build (`npm test` makes one).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../src/dev/ports.js';
import type { PostgresPart } from '../../src/dev/postgres.js';
import { temporalAddress, uniqueName } from '../support/parts.js';
import { passwordOf, readImage, readServices, type Service, startComposePostgres } from './compose.js';
import { REPOSITORY } from './scratch-project.js';

const HEALTHY_WITHIN_MS = 30_000;
const KEY = 'canary-anthropic-key-of-the-compose-test';
const rootKey = randomBytes(32).toString('base64');

let postgres: PostgresPart;
let folder: string;
let services: Readonly<Record<string, Service>>;
let image: Awaited<ReturnType<typeof readImage>>;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  [postgres, services, image] = await Promise.all([startComposePostgres(), readServices(), readImage()]);
  folder = await mkdtemp(join(tmpdir(), 'workspace-providers-compose-'));
  await Promise.all(['public', 'private'].map((name) => mkdir(join(folder, name))));
});

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await postgres?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** Replaces the hosts, passwords and folders in a value of the compose file. */
function here(value: string | number): string {
  return String(value)
    .replace(/\$\{ENCRYPTION_KEY[^}]*\}/, `compose:${rootKey}`)
    .replace(/\$\{(\w+)_PASSWORD[^}]*\}/, (_, login: string) => passwordOf(login.toLowerCase()))
    .replaceAll('/grants/', `${folder}/`)
    .replace('postgres:5432', new URL(postgres.url).host)
    .replace('temporal:7233', temporalAddress());
}

function environmentOf(name: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(services[name]?.environment ?? {}).map(([setting, value]) => [setting, here(value)]),
  );
}

interface Program {
  readonly command: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** As in the image, `node` is on the path and the working folder holds `dist`. */
function start({ command, env }: Program): ChildProcess {
  const [file = '', ...args] = (command ?? []).map(here);
  const { PATH = '', HOME = '' } = process.env;
  const path = `${dirname(process.execPath)}:${PATH}`;
  const child = spawn(file, args, { cwd: REPOSITORY, env: { HOME, ...env, PATH: path }, stdio: 'pipe' });
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

async function runToEnd(program: Program, stdin = '') {
  const child = start(program);
  // The program may end before it has read all its input.
  child.stdin?.on('error', () => {});
  child.stdin?.end(stdin);
  const [stdout, stderr] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
    once(child, 'close'),
  ]);
  return { exitCode: child.exitCode, stdout, stderr };
}

const runService = (name: string) => runToEnd({ command: services[name]?.command, env: environmentOf(name) });

const cli = (args: readonly string[], stdin?: string) =>
  runToEnd({ command: [...(services.cli?.entrypoint ?? []), ...args], env: environmentOf('cli') }, stdin);

/** Starts a long-running service on its own task queues. Resolves with its first line once it is ready. */
async function startService(name: string, more: Readonly<Record<string, string>> = {}) {
  const env = {
    ...environmentOf(name),
    ...more,
    // In containers, each has its own port.
    PROVIDER_METRICS_ADDRESS: String(await freePort()),
    PROVIDER_OPERATIONS_TASK_QUEUE: uniqueName('compose-operations'),
  };
  const child = start({ command: services[name]?.command ?? image.command, env });
  const stderr = text(child.stderr as NodeJS.ReadableStream);
  const [line] = await Promise.race([
    once(createInterface(child.stdout as NodeJS.ReadableStream), 'line'),
    once(child, 'close').then(async () => Promise.reject(new Error(`${name} ended early: ${await stderr}`))),
  ]);
  return {
    ready: JSON.parse(String(line)) as Record<string, unknown>,
    checkHealth: () => runToEnd({ command: image.healthCheck, env }),
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'close');
      return child.exitCode;
    },
  };
}

describe('the programs of docker-compose.yml', () => {
  it('migrate the database, and create the keys of grants once', async () => {
    expect(await runService('migrate')).toMatchObject({ exitCode: 0 });
    expect(await runService('grant-keys')).toMatchObject({ exitCode: 0 });
    const key = join(folder, 'private', 'key.json');
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    const created = await readFile(key, 'utf8');
    expect(await runService('grant-keys')).toMatchObject({ exitCode: 0 });
    expect(await readFile(key, 'utf8')).toBe(created);
  });

  it('serve steps and run rotations separately, and are healthy only while they run', async () => {
    const [worker, operations] = await Promise.all([
      startService('worker', { PROVIDER_TASK_QUEUE: uniqueName('compose-agents') }),
      // In its own container, its host name would make its identity unique.
      startService('operations', { PROVIDER_WORKER_IDENTITY: 'operations' }),
    ]);
    expect(worker.ready).toMatchObject({ event: 'ready', runsRotations: false });
    expect(operations.ready).toMatchObject({ event: 'ready', runsRotations: true, taskQueue: 'operations-no-steps' });
    for (const { checkHealth } of [worker, operations]) {
      const health = () => checkHealth().then(({ stdout, stderr }) => stdout + stderr);
      await vi.waitFor(async () => expect(await health()).toMatch(/^healthy: /), HEALTHY_WITHIN_MS);
      expect(await checkHealth()).toMatchObject({ exitCode: 0 });
    }

    const configured = await cli(['configure', 'ws_acme', 'llm', 'anthropic', '--json'], KEY);
    expect(configured, configured.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(configured.stdout)).toMatchObject({ fence: { complete: true } });
    expect((await cli(['list', 'ws_acme'])).stdout).toMatch(/anthropic/);

    for (const { stop, checkHealth } of [worker, operations]) {
      expect(await stop()).toBe(0);
      const { exitCode, stdout } = await checkHealth();
      expect({ exitCode, stdout }).toEqual({
        exitCode: 1,
        stdout: expect.stringMatching(/^unhealthy: .*does not answer/),
      });
    }
  });
});
