/**
 * Who holds the locks that statements of this process's login wait for. Postgres names every session and its login, but
 * shows since when a transaction is open only to members of that login's role.
 */
import type { ClientConfig } from 'pg';
import pg from 'pg';

export interface LockHolder {
  /** 0: a prepared transaction, which belongs to no session. */
  readonly pid: number;
  readonly login: string | null;
  readonly application: string | null;
  readonly since: Date | null;
}

interface Wait extends LockHolder {
  /** The text of the statement that waits. */
  readonly query: string;
}

const LOOK_TIMEOUT_MS = 2_000;

/** Follows the waits to those who hold up the others: a statement may wait behind another one that waits. */
const WAITS = `
  with recursive wait (query, blocker) as (
    select w.query, b.pid from pg_stat_activity as w cross join unnest(pg_blocking_pids(w.pid)) as b (pid)
    where w.usename = session_user and w.datname = current_database() and w.wait_event_type = 'Lock'
    union
    select wait.query, b.pid from wait cross join unnest(pg_blocking_pids(wait.blocker)) as b (pid)
  )
  select distinct wait.query, wait.blocker as pid, a.usename as login, a.application_name as application,
    a.xact_start as since
  from wait left join pg_stat_activity as a on a.pid = wait.blocker
  where cardinality(pg_blocking_pids(wait.blocker)) = 0
  order by pid`;

export class LockWaits {
  #looking: Promise<readonly Wait[]> | undefined;

  constructor(private readonly connection: ClientConfig) {}

  /** Returns who holds up this statement; empty if it does not wait for a lock, or nobody can tell. */
  async holdersOf(text: string): Promise<readonly LockHolder[]> {
    // Statements that wait at the same time share a look.
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return (await this.#looking).filter(({ query }) => query === text);
  }

  /** On a connection of its own: those of the pool may all be waiting. */
  async #look(): Promise<readonly Wait[]> {
    const session = new pg.Client({
      ...this.connection,
      connectionTimeoutMillis: LOOK_TIMEOUT_MS,
      query_timeout: LOOK_TIMEOUT_MS,
    });
    session.on('error', () => {});
    try {
      await session.connect();
      return (await session.query<Wait>(WAITS)).rows;
    } catch {
      return [];
    } finally {
      session.end().catch(() => {});
    }
  }
}

/** @param holders - at least one */
export function describeLockWait(holders: readonly LockHolder[]): string {
  const [first] = holders;
  const others = holders.length > 1 ? ` and ${holders.length - 1} more` : '';
  if (!first?.pid) {
    return `a prepared transaction${others} holds the lock: see pg_prepared_xacts, and run \`rollback prepared\` for it`;
  }
  const facts = [
    first.login && `login ${printable(first.login)}`,
    first.application && `program ${printable(first.application)}`,
    first.since && `in a transaction since ${first.since.toISOString().slice(0, 19).replace('T', ' ')} UTC`,
  ].filter(Boolean);
  return (
    `process ${first.pid}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}${others} holds the lock: end that ` +
    `transaction, or run \`select pg_terminate_backend(${first.pid})\` as an administrator`
  );
}

/** Names that others chose must not move the cursor of a terminal. */
function printable(name: string): string {
  return name.replace(/\p{Cc}+/gu, ' ').slice(0, 64);
}
