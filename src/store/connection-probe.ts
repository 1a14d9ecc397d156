/**
 * What a database URL leads to: which server and database, what its clock says, whether a pooler is in between, and
 * whether notifications arrive. For a person who checks a set-up; it changes nothing.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { ConnectedRole } from './roles.js';
import { withSession } from './session.js';
import { atStart, toStoreError } from './store-errors.js';

export interface ProbedDatabase {
  /** Names the server process and the database. */
  readonly server: string;
  /** The clock of Postgres, and that of this machine before and after it was asked, in milliseconds since 1970. */
  readonly databaseMs: number;
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

/** Each function throws ProviderError `SetupInvalid` or `StoreUnavailable`. */
export function probeDatabase(
  databaseUrl: string,
  role: ConnectedRole,
  now: () => number = Date.now,
): Promise<ProbedDatabase> {
  return probing(role, () =>
    withSession(databaseUrl, async (session) => {
      const sentAtMs = now();
      const { rows } = await session.query<{ server: string; database_ms: number }>(SERVER);
      const { server = '', database_ms: databaseMs = 0 } = rows[0] ?? {};
      return { server, databaseMs, sentAtMs, receivedAtMs: now() };
    }),
  );
}

const SERVER = `
  select extract(epoch from pg_postmaster_start_time())::text || ' '
      || (select oid from pg_database where datname = current_database())::text as server,
    extract(epoch from clock_timestamp())::float8 * 1000 as database_ms`;

export interface Pooling {
  /** Whether a pooler lends sessions of the server for one transaction each. */
  readonly perTransaction: boolean;
  /** Whether prepared statements work: some poolers keep track of them. True if they were not tried. */
  readonly prepares: boolean;
}

/** A busy pooler may lend another session by chance. */
const ROUNDS = 3;
const ANSWER_TIMEOUT_MS = 3_000;
/** What a server answers to a statement that was prepared in another of its sessions. */
const NOT_PREPARED: readonly string[] = ['26000', '42P05'];

/**
 * A second client occupies, in a transaction, the session of the server that the first one used. If both can have the
 * same, it was lent. The first one is lent another one then, in which it has prepared nothing.
 *
 * @param prepare - whether to try prepared statements
 */
export function probePooling(databaseUrl: string, role: ConnectedRole, prepare: boolean): Promise<Pooling> {
  return probing(role, () =>
    withSession(databaseUrl, (first) =>
      withSession(databaseUrl, async (second) => {
        for (let round = 1; round <= ROUNDS; round += 1) {
          const name = `workspace_providers_probe_${randomBytes(8).toString('hex')}`;
          const used = await backendOf(first, prepare ? name : undefined);
          await second.query('begin');
          try {
            if ((await backendOf(second)) !== used) continue;
            const prepares = !prepare || (await worksElsewhere(first, name));
            // Nobody else has that session now. A pooler that keeps track knows the statement by another name.
            if (prepare) await second.query(`deallocate ${name}`).catch(() => {});
            return { perTransaction: true, prepares };
          } finally {
            await second.query('rollback');
          }
        }
        return { perTransaction: false, prepares: true };
      }),
    ),
  );
}

/** @param prepared - the name of the statement, if it is to be prepared */
async function backendOf(session: pg.Client, prepared?: string): Promise<number | undefined> {
  const text = 'select pg_backend_pid() as pid';
  const query = prepared === undefined ? { text } : { name: prepared, text };
  return (await session.query<{ pid: number }>(query)).rows[0]?.pid;
}

async function worksElsewhere(session: pg.Client, prepared: string): Promise<boolean> {
  try {
    await Promise.race([backendOf(session, prepared), delay(ANSWER_TIMEOUT_MS, undefined, { ref: false })]);
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && NOT_PREPARED.includes(error.code ?? '')) return false;
    throw error;
  }
}

const HEARD_WITHIN_MS = 1_500;

/**
 * Whether a notification that is sent by one URL arrives at the other: not through a pooler in transaction mode, and not
 * in another database. The channel is one that nobody else listens to.
 */
export function hearsNotifications(listenUrl: string, notifyUrl: string, role: ConnectedRole): Promise<boolean> {
  const channel = `workspace_providers_probe_${randomBytes(8).toString('hex')}`;
  return probing(role, () =>
    withSession(listenUrl, async (listener) => {
      const heard = new Promise<boolean>((resolve) => {
        listener.once('notification', () => resolve(true));
      });
      await listener.query(`listen ${channel}`);
      await withSession(notifyUrl, (session) => session.query('select pg_notify($1, $2)', [channel, '']));
      return Promise.race([heard, delay(HEARD_WITHIN_MS, false, { ref: false })]);
    }),
  );
}

async function probing<Result>(role: ConnectedRole, probe: () => Promise<Result>): Promise<Result> {
  try {
    return await probe();
  } catch (error) {
    throw atStart(toStoreError(error, role));
  }
}
