/**
 * Access to Postgres: one statement at a time, each in its own transaction. So no caller ever holds a client, and
 * nothing that one caller sets reaches the next.
 */
import pg from 'pg';
import { Observer, type Reporter } from '../observer/observer.js';
import { connectionOptions } from './connection-options.js';
import { LockWaits } from './lock-waits.js';
import type { ConnectedRole } from './roles.js';
import { runStatement } from './run-statement.js';
import { asksToRepeat, toStoreError } from './store-errors.js';

export interface DatabaseOptions {
  /** `postgres://login:password@host/database`; for TLS, `?sslmode=verify-full&sslrootcert=<file>`. */
  readonly databaseUrl: string;
  /** Default: 10. */
  readonly maxConnections?: number;
  /** How long to wait for a connection, also for a free one of the pool, in milliseconds. Default: 5,000. */
  readonly connectTimeoutMs?: number;
  /** How long to wait for an answer, in milliseconds. A change without an answer is not made later. Default: 10,000. */
  readonly queryTimeoutMs?: number;
  /**
   * Whether to prepare statements. Must be false behind a pooler in transaction mode, because a prepared statement
   * belongs to one server session. Default: true.
   */
  readonly preparedStatements?: boolean;
  /** Is told of each statement, by its name. Default: nobody is. */
  readonly observer?: Pick<Reporter, 'during'>;
}

/** A statement and the name under which a session keeps it prepared. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** Whether it changes providers: it is then made in time, or not at all. Default: false. */
  readonly isChange?: boolean;
}

export interface Database {
  /**
   * @param signal - if aborted, the statement is given up, also while it waits for a connection
   * @throws ProviderError whatever happens, and no other error
   */
  query<Row extends object>(statement: Statement, values: readonly unknown[], signal?: AbortSignal): Promise<Row[]>;
  /** Waits for running statements. Idempotent. */
  close(): Promise<void>;
}

/** How often a statement runs if Postgres rolls it back only because of a concurrent transaction. */
const MAX_RUNS = 5;

/** A connection costs 5 to 10 ms of password hashing: an idle one is worth keeping between bursts. */
const KEEP_IDLE_MS = 5 * 60_000;

const DEFAULT_QUERY_TIMEOUT_MS = 10_000;

/**
 * Connects at the first query, not before.
 *
 * @param role - the role that the login must be granted. The error names it if it was not
 * @throws ProviderError `SetupInvalid` if the URL is not valid, or a file that it names cannot be read
 */
export function openDatabase(options: DatabaseOptions, role: ConnectedRole): Database {
  const connection = {
    ...connectionOptions(options.databaseUrl),
    application_name: 'workspace-providers',
  };
  const pool = new pg.Pool({
    ...connection,
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    idleTimeoutMillis: KEEP_IDLE_MS,
    keepAlive: true,
    // An idle connection keeps no process alive.
    allowExitOnIdle: true,
  });
  // The server may end an idle connection. The pool has dropped it already, but without a listener Node would exit.
  pool.on('error', () => {});
  // The same is true of a connection that is being taken or used: its statement fails, and that is enough. The last
  // message of a server that shuts down may arrive together with the one before it, when nobody else can listen yet.
  pool.on('connect', (client) => client.on('error', () => {}));
  const prepared = options.preparedStatements ?? true;
  const waits = new LockWaits(connection);
  const { observer = Observer.none } = options;
  let closing: Promise<void> | undefined;
  return {
    async query<Row extends pg.QueryResultRow>(
      { name, text, isChange = false }: Statement,
      values: readonly unknown[],
      signal?: AbortSignal,
    ) {
      const query = { ...(prepared && { name }), text, values: [...values] };
      const limitMs = options.queryTimeoutMs ?? DEFAULT_QUERY_TIMEOUT_MS;
      const execute = async () => {
        for (let run = 1; ; run += 1) {
          try {
            return await runStatement<Row>(pool, { query, isChange, limitMs, signal }, waits);
          } catch (error) {
            if (run === MAX_RUNS || !asksToRepeat(error)) throw toStoreError(error, role);
          }
        }
      };
      return observer.during('statement', { statement: name }, execute, () => ({}));
    },
    close() {
      closing ??= pool.end();
      return closing;
    },
  };
}
