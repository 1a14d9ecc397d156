/** A Postgres whose clock jumps and that crashes, from the view of its sessions. */
import { execFile } from 'node:child_process';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { clearElsewhere, publicFolder } from '../../dev/elsewhere.js';
import { type ClockedPostgres, startClockedPostgres } from './clocked-postgres.js';
import { findLibfaketime } from './libfaketime.js';

const HOUR_S = 3600;
/** The time between two readings of two clocks, on a busy machine. */
const TOLERANCE_S = 5;

let dataFolder: string;
let server: ClockedPostgres;
const clients: pg.Client[] = [];

beforeEach(async () => {
  dataFolder = join(await publicFolder(), 'postgres');
  server = await startClockedPostgres({ dataFolder });
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => {})));
  await server?.stop();
  await clearElsewhere();
});

async function connected(): Promise<pg.Client> {
  const client = new pg.Client(server.url);
  client.on('error', () => {});
  clients.push(client);
  await client.connect();
  return client;
}

/** The difference between its clock and ours. */
async function offsetSeconds(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ at: string }>('select extract(epoch from clock_timestamp())::text as at');
  return Number(rows[0]!.at) - Date.now() / 1000;
}

async function expectOffset(client: pg.Client, seconds: number): Promise<void> {
  await vi.waitFor(
    async () => expect(Math.abs((await offsetSeconds(client)) - seconds)).toBeLessThan(TOLERANCE_S),
    5_000,
  );
}

test('the wall clock jumps an hour in both directions for open and new sessions, and seconds keep their length', async () => {
  const open = await connected();
  await expectOffset(open, 0);
  for (const [jump, offset] of [
    [HOUR_S, HOUR_S],
    [-HOUR_S, 0],
    [-HOUR_S, -HOUR_S],
  ] as const) {
    await server.jump(jump);
    expect(server.offsetSeconds).toBe(offset);
    await expectOffset(open, offset);
    await expectOffset(await connected(), offset);
    const startedAt = performance.now();
    await open.query('select pg_sleep(0.2)');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(195);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  }
});

test('committed data survives a crash, on the same port and with the moved clock', async () => {
  const before = await connected();
  const { rows } = await before.query('show fsync');
  expect(rows).toEqual([{ fsync: 'on' }]);
  await server.jump(HOUR_S);
  await before.query('create table kept as select 42 as answer');
  const [{ pid, url }, ended] = [{ ...server }, new Promise<void>((resolve) => before.once('end', resolve))];
  await server.crash();
  await ended;
  await expect(connected()).rejects.toMatchObject({ code: 'ECONNREFUSED' });

  await server.restart();
  expect(server).toMatchObject({ url });
  expect(server.pid).not.toBe(pid);
  const after = await connected();
  expect((await after.query('select answer from kept')).rows).toEqual([{ answer: 42 }]);
  await expectOffset(after, HOUR_S);
});

test('the server runs as an unprivileged user, and keeps its data folder', async () => {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'uid=', '-p', String(server.pid)]);
  expect(Number(stdout)).not.toBe(0);
  await server.stop();
  await server.stop();
  await access(join(dataFolder, 'cluster', 'PG_VERSION'));
  await expect(access(`${dataFolder}.clock`)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('the start fails without libfaketime, and names the package to install', async () => {
  const missing = { message: expect.stringMatching(/libfaketime cannot be had.*apt-get install libfaketime/s) };
  const elsewhere = join(dataFolder, '..', 'elsewhere');
  vi.stubEnv('LIBFAKETIME_PATH', join(elsewhere, 'nothing'));
  await expect(startClockedPostgres({ dataFolder: elsewhere })).rejects.toMatchObject(missing);

  const notALibrary = join(dataFolder, '..', 'not-a-library');
  await writeFile(notALibrary, 'text');
  vi.stubEnv('LIBFAKETIME_PATH', notALibrary);
  await expect(startClockedPostgres({ dataFolder: elsewhere })).rejects.toMatchObject(missing);
});

test('libfaketime is unpacked once into the user’s cache if it is not installed', async () => {
  const env = { ...process.env, LIBFAKETIME_PATH: '', XDG_CACHE_HOME: join(dataFolder, '..', 'cache') };
  const path = await findLibfaketime(env);
  await access(path);
  expect(await findLibfaketime({ ...env, PATH: '' })).toBe(path);
});
