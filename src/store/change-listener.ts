/**
 * Hears of changes as they are committed, over a session of its own: a transaction pooler passes no notifications. They
 * are a hint. What is lost while the connection is down is made up for by calling once it is up again.
 */
import pg from 'pg';
import { checkDatabaseUrl } from './pool.js';

const CONNECT_TIMEOUT_MS = 5_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 10_000;

export interface ChangeListener {
  /** Ends the session. Idempotent. */
  close(): Promise<void>;
}

/**
 * Calls `onChange` after each commit that changed a provider, and whenever changes may have been missed.
 *
 * @throws ProviderError `ProviderConfigInvalid` where the URL is none
 */
export function listenForChanges(databaseUrl: string, onChange: () => void): ChangeListener {
  checkDatabaseUrl(databaseUrl);
  let session: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let retryMs = FIRST_RETRY_MS;
  let closed = false;

  const connect = async () => {
    retry = undefined;
    const client = new pg.Client({
      connectionString: databaseUrl,
      application_name: 'workspace-providers listener',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    });
    session = client;
    client.on('notification', onChange);
    // pg also says `end` after `error`: one of them is enough.
    client.on('error', () => {});
    client.once('end', connectLater);
    try {
      await client.connect();
      await client.query('listen provider_changes');
      retryMs = FIRST_RETRY_MS;
      onChange();
    } catch {
      // It may have said `end` already, or say it when another is connected.
      client.removeListener('end', connectLater);
      client.end().catch(() => {});
      connectLater();
    }
  };
  const connectLater = () => {
    if (closed || retry) return;
    // Spread, so that the workers of a fleet do not all come back at once.
    retry = setTimeout(() => void connect(), retryMs * (0.5 + Math.random())).unref();
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
  };

  void connect();
  return {
    async close() {
      if (closed) return;
      closed = true;
      clearTimeout(retry);
      await session?.end().catch(() => {});
    },
  };
}
