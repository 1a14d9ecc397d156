/** A separate session, for what one statement of a pool cannot do: hold a session's lock, act as an administrator. */
import pg from 'pg';
import { connectionOptions } from './connection-options.js';

const CONNECT_TIMEOUT_MS = 10_000;

/** Ends the session when `work` has ended. Throws the errors of pg as they are: the caller maps them. */
export async function withSession<Result>(
  databaseUrl: string,
  work: (session: pg.Client) => Promise<Result>,
): Promise<Result> {
  const session = new pg.Client({
    ...connectionOptions(databaseUrl),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'workspace-providers',
  });
  // A lost connection also fails the running statement; without a listener it would end the process.
  session.on('error', () => {});
  try {
    await session.connect();
    return await work(session);
  } finally {
    await session.end().catch(() => {});
  }
}
