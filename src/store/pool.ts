/**
 * The way to Postgres: one statement at a time, each a transaction of its own, so that no caller ever holds a client,
 * and nothing that one of them sets reaches the next.
 */
import pg from 'pg';
import { ProviderError } from '../protocol/errors.js';
import { rememberPasswordOf } from '../redaction/opened-secrets.js';
import { asksToRepeat, toStoreError } from './store-errors.js';

export interface DatabaseOptions {
  /** `postgres://login:password@host/database`. */
  readonly databaseUrl: string;
  /** Default 10. */
  readonly maxConnections?: number;
  /** How long to wait for a connection, also for a free one of the pool, in milliseconds. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /**
   * How long to wait for an answer, in milliseconds. Default 10,000. A write that got none may still have been done.
   */
  readonly queryTimeoutMs?: number;
  /** Default true. False behind a pooler in transaction mode: a prepared statement belongs to one server session. */
  readonly preparedStatements?: boolean;
}

/** A statement and the name under which a session keeps it prepared. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

export interface Database {
  /**
   * @param timeoutMs - how long to wait for the answer; default: the pool's own
   * @throws ProviderError whatever happens, and nothing else.
   */
  query<Row extends pg.QueryResultRow>(
    statement: Statement,
    values: readonly unknown[],
    timeoutMs?: number,
  ): Promise<Row[]>;
  /** Waits for statements under way. Idempotent. */
  close(): Promise<void>;
}

/** How often a statement runs that Postgres rolled back only because of another one at the same moment. */
const MAX_RUNS = 5;

/** A connection costs 5 to 10 ms of password hashing: an idle one is worth keeping between bursts. */
const KEEP_IDLE_MS = 5 * 60_000;

/**
 * Connects at the first query, not before.
 *
 * @param role - what the login must have been granted; named in the error where it was not
 * @throws ProviderError `SetupInvalid` where the URL is none
 */
export function openDatabase(options: DatabaseOptions, role: string): Database {
  const pool = new pg.Pool({
    connectionString: checkDatabaseUrl(options.databaseUrl),
    application_name: 'workspace-providers',
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    query_timeout: options.queryTimeoutMs ?? 10_000,
    idleTimeoutMillis: KEEP_IDLE_MS,
    keepAlive: true,
  });
  // An idle connection that the server ends: the pool has dropped it already, but without a listener Node would exit.
  pool.on('error', () => {});
  const prepared = options.preparedStatements ?? true;
  let closing: Promise<void> | undefined;
  return {
    async query<Row extends pg.QueryResultRow>(
      { name, text }: Statement,
      values: readonly unknown[],
      timeoutMs?: number,
    ) {
      const query = { ...(prepared && { name }), text, values: [...values], query_timeout: timeoutMs };
      for (let run = 1; ; run += 1) {
        try {
          return (await pool.query<Row>(query)).rows;
        } catch (error) {
          if (run === MAX_RUNS || !asksToRepeat(error)) throw toStoreError(error, role);
        }
      }
    },
    close() {
      closing ??= pool.end();
      return closing;
    },
  };
}

/** Here, since a URL that does not parse comes back from pg in an error that holds all of it. */
export function checkDatabaseUrl(databaseUrl: string): string {
  if (/^postgres(ql)?:/.test(databaseUrl) && URL.canParse(databaseUrl)) {
    rememberPasswordOf(databaseUrl);
    return databaseUrl;
  }
  throw new ProviderError('SetupInvalid', 'databaseUrl must be postgres://login:password@host/database', {
    fields: ['databaseUrl'],
  });
}
