/** The proxy in front of a real Postgres: what each mode does to running statements. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { postgresUrl, uniqueName } from '../../support/parts.js';
import { type PostgresProxy, startPostgresProxy } from './postgres-proxy.js';

const LARGE = 'select repeat(md5(n::text), 1000) as piece from generate_series(1, 100) n';

let proxy: PostgresProxy<'pool' | 'notifications'>;
let channel: string;
const clients: pg.Client[] = [];

beforeEach(async () => {
  proxy = await startPostgresProxy(postgresUrl(), ['pool', 'notifications']);
  channel = uniqueName('proxy');
});

afterEach(async () => {
  await proxy.stop();
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => {})));
});

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  clients.push(client);
  await client.connect();
  return client;
}

const by = (route: 'pool' | 'notifications') => connected(proxy.through(route, postgresUrl()));

/** The notifications on a channel, in order. */
async function listen(client: pg.Client): Promise<string[]> {
  const heard: string[] = [];
  client.on('notification', ({ payload = '' }) => heard.push(payload));
  await client.query(`listen "${channel}"`);
  return heard;
}

test('the proxy passes statements and answers unchanged, and closes with its client', async () => {
  const client = await by('pool');
  const [direct, through] = await Promise.all([(await connected(postgresUrl())).query(LARGE), client.query(LARGE)]);
  expect(through.rows).toEqual(direct.rows);
  await client.end();
  expect(proxy.counts).toMatchObject({ connections: 1, heldChunks: 0, delayedChunks: 0, cutConnections: 0 });
});

test('the proxy holds running statements, and delivers them completely and in order when released', async () => {
  const [client, direct] = [await by('pool'), await connected(postgresUrl())];
  const heard = await listen(direct);
  proxy.hold();
  const settled = vi.fn();
  const answer = client.query(
    `select pg_notify('${channel}', 'first'); select pg_notify('${channel}', 'second'); ${LARGE}`,
  );
  answer.finally(settled).catch(() => {});
  await vi.waitFor(() => expect(proxy.counts.heldChunks).toBeGreaterThan(0));
  await direct.query('select pg_notify($1, $2)', [channel, 'meanwhile']);
  await vi.waitFor(() => expect(heard).toEqual(['meanwhile']));
  expect(settled).not.toHaveBeenCalled();

  proxy.pass();
  const [, , large] = (await answer) as unknown as pg.QueryResult[];
  expect(large!.rows).toEqual((await direct.query(LARGE)).rows);
  await vi.waitFor(() => expect(heard).toEqual(['meanwhile', 'first', 'second']));
});

test('the proxy delivers a held statement even if its client is gone', async () => {
  const [client, direct] = [await by('pool'), await connected(postgresUrl())];
  const heard = await listen(direct);
  proxy.hold();
  const lost = client.query('select pg_notify($1, $2)', [channel, 'from the dead']);
  await vi.waitFor(() => expect(proxy.counts.heldChunks).toBeGreaterThan(0));
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  await expect(lost).rejects.toThrow('Connection terminated');

  proxy.pass();
  await vi.waitFor(() => expect(heard).toEqual(['from the dead']));
});

test('the proxy delays in both directions, and delivers at once when released', async () => {
  const client = await by('pool');
  proxy.delay(150);
  const startedAt = performance.now();
  await client.query('select 1');
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(300);

  proxy.delay(3_600_000);
  const late = client.query('select 1 as one');
  await vi.waitFor(() => expect(proxy.counts.delayedChunks).toBe(3));
  proxy.pass();
  expect((await late).rows).toEqual([{ one: 1 }]);
});

test('a cut proxy fails running statements and refuses new connections until it passes again', async () => {
  const client = await by('pool');
  const [pid] = (await client.query('select pg_backend_pid() as pid')).rows;
  const sleeping = client.query('select pg_sleep(60)');
  sleeping.catch(() => {});
  const direct = await connected(postgresUrl());
  const backend = () => direct.query('select state from pg_stat_activity where pid = $1', [pid.pid]);
  await vi.waitFor(async () => expect((await backend()).rows).toEqual([{ state: 'active' }]));
  proxy.cut();
  await expect(sleeping).rejects.toThrow('Connection terminated');
  await expect(by('pool')).rejects.toThrow();
  expect(proxy.counts).toMatchObject({ cutConnections: 1, refusedConnections: 1 });
  await direct.query('select pg_cancel_backend($1)', [pid.pid]);

  proxy.pass();
  expect((await (await by('pool')).query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('the proxy can apply a mode to only one route', async () => {
  const [pool, notifications] = [await by('pool'), await by('notifications')];
  const heard = await listen(notifications);
  proxy.hold('notifications');
  await pool.query('select pg_notify($1, $2)', [channel, 'held']);
  await vi.waitFor(() => expect(proxy.counts.heldChunks).toBe(1));
  expect(heard).toEqual([]);
  proxy.pass('notifications');
  await vi.waitFor(() => expect(heard).toEqual(['held']));

  const ended = new Promise<void>((resolve) => notifications.once('end', resolve));
  proxy.cut('notifications');
  await ended;
  await pool.query('select 1');
  await expect(by('notifications')).rejects.toThrow();
});

test('the proxy passes on a half-closed connection, so that the client still gets the answer', async () => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.write('heard ');
    socket.pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const before = await startPostgresProxy(address, ['only']);
  before.hold();
  const socket = connect({ port: Number(new URL(before.through('only', address)).port), allowHalfOpen: true });
  const answer = text(socket);
  socket.end('all of it');
  await vi.waitFor(() => expect(before.counts.heldChunks).toBe(2));
  before.pass();
  expect(await answer).toBe('heard all of it');
  await before.stop();
  server.close();
});
