/** The embedded Postgres: its user, its binaries, who may log in, and that it leaves nothing behind. */
import { execFile } from 'node:child_process';
import { chmod, cp, lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type PostgresOptions, type PostgresPart, startPostgres } from '../../src/dev/postgres.js';
import { installedBinaries } from '../../src/dev/postgres-binaries.js';
import { clearElsewhere, publicFolder, runElsewhere } from './elsewhere.js';

const root = process.getuid?.() === 0;
const run = promisify(execFile);

let temporaryFolder: string;
const started: PostgresPart[] = [];

beforeEach(async () => {
  temporaryFolder = await publicFolder(0o777);
  vi.stubEnv('TMPDIR', temporaryFolder);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(started.splice(0).map((part) => part.stop()));
  await clearElsewhere();
});

async function start(options?: PostgresOptions): Promise<PostgresPart> {
  const part = await startPostgres(options);
  started.push(part);
  return part;
}

async function query(url: string, text: string): Promise<Record<string, string>[]> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Those of the given process ids that exist. */
async function alive(...pids: number[]): Promise<number[]> {
  const { stdout } = await run('ps', ['-o', 'pid=', '-p', pids.join()]).catch(() => ({ stdout: '' }));
  return stdout.split('\n').map(Number).filter(Boolean);
}

async function ownerOf(pid: number): Promise<number> {
  return Number((await run('ps', ['-o', 'uid=', '-p', String(pid)])).stdout);
}

/** A copy of the package's binaries. */
async function copyOfBinaries(keep: (path: string) => Promise<boolean> = async () => true): Promise<string> {
  const folder = join(await publicFolder(), 'native');
  await cp(installedBinaries(), folder, { recursive: true, verbatimSymlinks: true, filter: keep });
  return folder;
}

describe('the embedded Postgres', () => {
  test('never runs as root, and inherits no variable of our environment', async () => {
    vi.stubEnv('CANARY_KEY', 'canary-environment');
    vi.stubEnv('PGPORT', '1');
    const { pid } = await start();
    expect(await ownerOf(pid)).not.toBe(0);
    const environment = (await run('ps', ['eww', '-p', String(pid)])).stdout;
    expect(environment).toContain('HOME=');
    expect(environment).not.toContain('canary-environment');
  });

  test('accepts only connections with the password', async () => {
    const { url } = await start();
    const wrong = new URL(url);
    wrong.password = 'canary-wrong-password';
    await expect(query(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });

    const rules = await query(url, 'select distinct auth_method from pg_hba_file_rules');
    expect(rules).toEqual([{ auth_method: 'scram-sha-256' }]);
    const [open] = await query(
      url,
      `select current_setting('listen_addresses') as addresses, current_setting('unix_socket_directories') as sockets,
        rolpassword ~ '^SCRAM-SHA-256' as scram from pg_authid where rolname = 'postgres'`,
    );
    expect(open).toEqual({ addresses: '127.0.0.1', sockets: '', scram: true });
    const [folder = ''] = await readdir(temporaryFolder);
    expect((await lstat(join(temporaryFolder, folder))).mode & 0o777).toBe(0o700);
    expect((await lstat(join(temporaryFolder, folder, 'password'))).mode & 0o777).toBe(0o600);
  });

  test('leaves no process and no folder behind', async () => {
    const part = await start();
    const backends = await query(part.url, 'select pid from pg_stat_activity');
    const pids = [part.pid, ...backends.map(({ pid }) => Number(pid))];
    expect(await alive(...pids)).toContain(part.pid);
    expect(await readdir(temporaryFolder)).toHaveLength(1);

    await Promise.all([part.stop(), part.stop()]);
    await part.stop();
    expect(await alive(...pids)).toEqual([]);
    expect(await readdir(temporaryFolder)).toEqual([]);
    const { stdout } = await run('ps', ['-eo', 'args=']);
    expect(stdout).not.toMatch(new RegExp(`watcher ${part.pid} `));
  });

  test('leaves no folder behind if it does not start', async () => {
    const { port } = await start();
    const others = await readdir(temporaryFolder);
    await expect(start({ port })).rejects.toThrow(`port ${port} of 127.0.0.1 cannot be used: EADDRINUSE`);
    await expect(start({ settings: { no_such_setting: 1 } })).rejects.toThrow(
      /Postgres ended with exit code 1 before.*no_such_setting/s,
    );
    expect(await readdir(temporaryFolder)).toEqual(others);
  });

  test('runs without the install scripts of its package, and writes nothing next to the binaries', async () => {
    const nativeFolder = await copyOfBinaries(async (path) => !(await lstat(path)).isSymbolicLink());
    const before = await readdir(join(nativeFolder, 'lib'));
    expect(before).not.toContain('libpq.so.5');
    const { url } = await start({ nativeFolder });
    expect(await query(url, "select 'ß' < 'z' as is_text")).toEqual([{ is_text: false }]);
    expect(await readdir(join(nativeFolder, 'lib'))).toEqual(before);
  });

  test('names the missing library if the binaries are incomplete', async () => {
    const nativeFolder = await copyOfBinaries(async (path) => !path.endsWith('libicudata.so.60.2'));
    await expect(start({ nativeFolder })).rejects.toThrow(/do not run on this system.*libicudata/s);
    expect(await readdir(temporaryFolder)).toEqual([]);
  });
});

describe.runIf(root)('the embedded Postgres, started by root', () => {
  test('runs from a node_modules folder that its user cannot read', async () => {
    const nativeFolder = await copyOfBinaries();
    await run('chmod', ['-R', 'go-rwx', nativeFolder]);
    await chmod(join(nativeFolder, '..'), 0o700);
    const { url, pid } = await start({ nativeFolder });
    expect(await ownerOf(pid)).not.toBe(0);
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('uses another folder if its user cannot enter the temporary folder', async () => {
    vi.stubEnv('TMPDIR', await publicFolder(0o700));
    const { url } = await start();
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('reports that its user cannot enter the data folder', async () => {
    const dataFolder = join(await publicFolder(0o700), 'data');
    await expect(start({ dataFolder })).rejects.toThrow(/the user \w+ cannot enter .*data: Postgres runs as \w+/);
  });

  test('runs as an ordinary user if that user starts it', async () => {
    const nativeFolder = await copyOfBinaries();
    const { printed } = await runElsewhere<{ url: string; pid: number }>(`
      import { startPostgres } from './postgres.js';
      process.setgroups([]);
      process.setgid(65534);
      process.setuid(65534);
      const { url, pid } = await startPostgres({ nativeFolder: ${JSON.stringify(nativeFolder)} });
      console.log(JSON.stringify({ url, pid }));
    `);
    expect(await query(printed.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(await ownerOf(printed.pid)).toBe(65534);
  });
});

describe('a data folder that is kept', () => {
  test('keeps its data and its password after a crash', async () => {
    const dataFolder = join(await publicFolder(), 'data');
    const first = await start({ dataFolder, durable: true });
    expect(await query(first.url, 'show fsync')).toEqual([{ fsync: 'on' }]);
    await query(first.url, 'create table kept as select 7 as n');
    await first.stop('immediate');

    const second = await start({ dataFolder, durable: true, port: first.port });
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'select n from kept')).toEqual([{ n: 7 }]);
    expect(await readFile(second.logFile, 'utf8')).toContain('was not properly shut down');

    await expect(start({ dataFolder })).rejects.toThrow(/postmaster.pid.*already exists/s);
    expect(await query(second.url, 'select n from kept')).toEqual([{ n: 7 }]);
    await second.stop();
    expect(await readdir(temporaryFolder)).toEqual([]);
  });

  test('must be empty or hold an embedded Postgres', async () => {
    const dataFolder = await publicFolder();
    await mkdir(join(dataFolder, 'native'));
    await writeFile(join(dataFolder, 'native', 'precious'), '');
    await expect(start({ dataFolder })).rejects.toThrow(
      'is not empty, and not the data folder of an embedded Postgres',
    );
    expect(await readdir(join(dataFolder, 'native'))).toEqual(['precious']);
    expect((await lstat(dataFolder)).mode & 0o777).toBe(0o755);
  });
});
