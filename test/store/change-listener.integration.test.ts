/** A listener reports changes, catches up on what it missed, and leaves nothing behind. Runs on a real Postgres. */
import pg from 'pg';
import { expect, it, vi } from 'vitest';
import { type ChangeListener, listenForChanges } from '../../src/store/change-listener.js';
import { withSession } from '../support/database.js';
import { useDatabase } from '../support/use-database.js';
import { provider, row } from './rows.js';

const WAIT = { timeout: 20_000 };

const database = useDatabase();

const psql = (sql: string) => database.query(sql);
const SESSIONS = `from pg_stat_activity
  where datname = current_database() and application_name = 'workspace-providers listener'`;
const sessions = async () => (await psql(`select ${SESSIONS}`)).rowCount;
const notify = () => psql("select pg_notify('provider_changes', '1')");

async function listening(): Promise<{ listener: ChangeListener; onChange: ReturnType<typeof vi.fn<() => void>> }> {
  const onChange = vi.fn<() => void>();
  const listener = listenForChanges(database.resolverUrl, onChange);
  await vi.waitUntil(() => onChange.mock.calls.length === 1, WAIT);
  return { listener, onChange };
}

it('a listener calls back when it starts, because it may have missed changes, and at each notification', async () => {
  const { listener, onChange } = await listening();
  await notify();
  await vi.waitUntil(() => onChange.mock.calls.length === 2, WAIT);
  await listener.close();
});

it('a listener calls back at most 20 times per second after a burst, however often any login notifies', async () => {
  const { listener, onChange } = await listening();
  const startMs = performance.now();
  await withSession(database.tenantUrl, async (session) => {
    for (let n = 0; n < 1_000; n += 1) await session.query(`select pg_notify('provider_changes', '${n}')`);
  });
  const heardBefore = onChange.mock.calls.length;
  const tookMs = performance.now() - startMs;
  expect(heardBefore).toBeLessThanOrEqual(5 + tookMs / 50);
  await notify();
  await vi.waitUntil(() => onChange.mock.calls.length > heardBefore, WAIT);
  await listener.close();
});

it('a listener opens a new session if the server ends its session, and calls back for what it missed', async () => {
  const { listener, onChange } = await listening();
  for (const round of [2, 3]) {
    await psql(`select pg_terminate_backend(pid) ${SESSIONS}`);
    await vi.waitUntil(() => onChange.mock.calls.length >= round, WAIT);
  }
  const heard = onChange.mock.calls.length;
  await notify();
  await vi.waitUntil(() => onChange.mock.calls.length > heard, WAIT);
  expect(await sessions()).toBe(1);
  await listener.close();
});

it('a listener that cannot connect tries again until it can', async () => {
  const login = new URL(database.resolverUrl).username;
  await psql(`alter role ${login} nologin`);
  const onChange = vi.fn();
  const connect = vi.spyOn(pg.Client.prototype, 'connect');
  const listener = listenForChanges(database.resolverUrl, onChange);
  const ofListener = () => (connect.mock.contexts as pg.Client[]).filter(({ user }) => user === login).length;
  await vi.waitUntil(() => ofListener() >= 3, WAIT);
  expect(onChange).not.toHaveBeenCalled();
  await psql(`alter role ${login} login`);
  await vi.waitUntil(() => onChange.mock.calls.length === 1, WAIT);
  await listener.close();
});

it('a closed listener ends its session, does not call back again, and may be closed twice', async () => {
  const { listener, onChange } = await listening();
  await listener.close();
  await listener.close();
  await vi.waitUntil(async () => (await sessions()) === 0, WAIT);
  await notify();
  expect(onChange).toHaveBeenCalledTimes(1);
});

it('a listener that is closed before it connects leaves no session behind', async () => {
  const onChange = vi.fn();
  const listener = listenForChanges(database.resolverUrl, onChange);
  await listener.close();
  await vi.waitUntil(async () => (await sessions()) === 0, WAIT);
  expect(onChange).not.toHaveBeenCalled();
});

it('a change gives no hint while an earlier one waits for its epoch, and the epoch of both is notified', async () => {
  await withSession(database.resolverUrl, async (session) => {
    const payloads: (string | undefined)[] = [];
    session.on('notification', ({ payload }) => payloads.push(payload));
    await session.query('listen provider_changes');
    for (const workspaceId of ['ws_a', 'ws_b']) await database.manager.putProvider(provider(workspaceId), row('x'));
    const { epoch } = await database.manager.readEpoch();
    await vi.waitUntil(async () => (await session.query('select 1')) && payloads.includes(`${epoch}`), WAIT);
    expect(payloads).toEqual(['', `${epoch}`]);
  });
});

it.each(['', 'http://127.0.0.1/', 'postgres://no port:x'])('an invalid URL is refused at once: %j', (url) => {
  expect(() => listenForChanges(url, () => {})).toThrow(expect.objectContaining({ type: 'SetupInvalid' }));
});
