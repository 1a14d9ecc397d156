/**
 * Runs one statement of a pool, in its own transaction. A statement that this process gives up must not be executed
 * later: a caller that was told of a failure may have repeated it, or changed their mind. A change runs in a transaction
 * that Postgres itself ends before this process gives up, and that is committed only after its answer. For any other
 * statement, Postgres is asked to cancel it.
 */
import { connect } from 'node:net';
import type pg from 'pg';
import { describeLockWait, type LockHolder, type LockWaits } from './lock-waits.js';

/** Parts of the time limit: when to ask who holds a lock, when Postgres ends a wait for one, and when any statement. */
const LOOK_AT = 0.6;
const LOCK_LIMIT = 0.8;
const STATEMENT_LIMIT = 0.9;
const CANCEL_TIMEOUT_MS = 2_000;

const TIMEOUT_TEXT = 'Query read timeout';
const COMMIT = 'commit';

export interface StatementRun {
  readonly query: pg.QueryConfig & { readonly text: string };
  readonly isChange: boolean;
  readonly limitMs: number;
  /** If aborted, the statement is given up before its time limit. */
  readonly signal?: AbortSignal;
}

/** A statement that ended because another session held a lock, or a commit whose outcome is unknown. */
export class StatementEnded extends Error {
  /** @param message - fixed text and names, for the caller */
  constructor(message: string) {
    super(message);
  }
}

/** @throws StatementEnded, or the error of pg as it is */
export async function runStatement<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  { query, isChange, limitMs, signal }: StatementRun,
  waits: LockWaits,
): Promise<Row[]> {
  const abortion = rejectionOn(signal);
  const client = await connectWithin(pool, abortion);
  let running = query.text;
  let holders: Promise<readonly LockHolder[]> | undefined;
  const look = setTimeout(() => {
    holders = waits.holdersOf(running);
  }, limitMs * LOOK_AT);
  const send = (next: pg.QueryConfig & { readonly text: string }) => {
    running = next.text;
    look.refresh();
    holders = undefined;
    return abortion.race(client.query<Row>({ ...next, query_timeout: limitMs } as pg.QueryConfig));
  };
  try {
    if (isChange) await send({ text: beginWithin(limitMs) });
    const { rows } = await send(query);
    if (isChange) await send({ text: COMMIT });
    client.release();
    return rows;
  } catch (error) {
    if (isTimeout(error)) cancel(client);
    // The connection is closed: with it ends the transaction, if Postgres has not ended it.
    client.release(true);
    throw ended(error, isChange, running, (await holders) ?? []);
  } finally {
    clearTimeout(look);
    abortion.end();
  }
}

interface Abortion {
  /** Fails as a time limit does if the signal is aborted first. */
  race<Result>(work: Promise<Result>): Promise<Result>;
  end(): void;
}

function rejectionOn(signal: AbortSignal | undefined): Abortion {
  if (!signal) return { race: (work) => work, end: () => {} };
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(new Error(TIMEOUT_TEXT));
  });
  aborted.catch(() => {});
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  return { race: (work) => Promise.race([work, aborted]), end: () => signal.removeEventListener('abort', abort) };
}

async function connectWithin(pool: pg.Pool, abortion: Abortion): Promise<pg.PoolClient> {
  const connecting = pool.connect();
  try {
    return await abortion.race(connecting);
  } catch (error) {
    abortion.end();
    connecting.then(
      (late) => late.release(),
      () => {},
    );
    throw error;
  }
}

/** An administrator may have set shorter limits, which stay. `set local`: a pooler gives the session to others. */
function beginWithin(limitMs: number): string {
  const limits = [
    ['lock_timeout', LOCK_LIMIT],
    ['statement_timeout', STATEMENT_LIMIT],
  ] as const;
  const statements = limits.map(([name, part]) => {
    const ms = Math.max(1, Math.round(limitMs * part));
    return (
      `select set_config('${name}', '${ms}', true) ` +
      `where current_setting('${name}')::interval not between '1 microsecond' and '${ms} milliseconds'`
    );
  });
  return ['begin', ...statements].join('; ');
}

function ended(error: unknown, isChange: boolean, running: string, holders: readonly LockHolder[]): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const outcome = isChange && !(running === COMMIT && isTimeout(error)) ? '; nothing was changed' : '';
  if (holders.length > 0 && (isTimeout(error) || code === '55P03' || code === '57014')) {
    return new StatementEnded(`a statement waited for a lock for too long${outcome}: ${describeLockWait(holders)}`);
  }
  if (isChange && running === COMMIT && isTimeout(error)) {
    return new StatementEnded(
      'Postgres did not confirm the commit in time, so the change may have been made: look before you repeat it',
    );
  }
  return error;
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === TIMEOUT_TEXT;
}

/** What a connection keeps for a cancellation. @types/pg lacks it. */
type Cancellable = pg.PoolClient & {
  readonly host?: string;
  readonly port?: number;
  readonly processID?: number | null;
  readonly secretKey?: number | null;
};

/** Sends a cancel request, which Postgres and poolers take without TLS and without a login. Nobody waits for it. */
function cancel(client: pg.PoolClient): void {
  const { host = '', port = 5432, processID, secretKey } = client as Cancellable;
  if (typeof processID !== 'number' || typeof secretKey !== 'number') return;
  const request = Buffer.alloc(16);
  request.writeInt32BE(16, 0);
  request.writeInt32BE(80_877_102, 4);
  request.writeInt32BE(processID, 8);
  request.writeInt32BE(secretKey, 12);
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
  socket.setTimeout(CANCEL_TIMEOUT_MS, () => socket.destroy());
  socket.on('error', () => {});
  socket.end(request);
  socket.unref();
}
