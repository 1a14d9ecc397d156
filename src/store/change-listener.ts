/**
 * Listens for changes as they are committed, over its own session, because a transaction pooler passes no
 * notifications. Notifications are only a hint. In place of those that are lost while the connection is down, it calls
 * once when the connection is up again.
 */
import pg from 'pg';
import { connectionOptions } from './connection-options.js';

const CONNECT_TIMEOUT_MS = 5_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 10_000;
/** Any login may notify. However many notifications arrive, the listener calls back this often, after a small burst. */
const CALL_EVERY_MS = 50;
/** A change and its numbering notify within milliseconds: neither waits. */
const BURST = 4;

/** pg's own pool uses these two methods too; its types lack them. */
type Session = pg.Client & Partial<Record<'ref' | 'unref', () => void>>;

export interface ChangeListener {
  /** Ends the session. Idempotent. */
  close(): Promise<void>;
}

/**
 * Limits how often `call` runs. The last of many calls is never dropped: it runs when the limit allows.
 */
function limited(call: () => void): { (): void; cancel(): void } {
  let left = BURST;
  let countedAtMs = performance.now();
  let later: NodeJS.Timeout | undefined;
  const run = () => {
    if (later) return;
    const nowMs = performance.now();
    left = Math.min(BURST, left + (nowMs - countedAtMs) / CALL_EVERY_MS);
    countedAtMs = nowMs;
    if (left >= 1) {
      left -= 1;
      call();
      return;
    }
    later = setTimeout(() => {
      later = undefined;
      run();
    }, CALL_EVERY_MS).unref();
  };
  return Object.assign(run, { cancel: () => clearTimeout(later) });
}

/**
 * Calls `onChange` after commits that changed a provider, and whenever changes may have been missed: once for several,
 * if they come faster than 20 per second.
 *
 * @throws ProviderError `SetupInvalid` if the URL is not valid
 */
export function listenForChanges(databaseUrl: string, onChange: () => void): ChangeListener {
  const connection = connectionOptions(databaseUrl);
  const hear = limited(onChange);
  let session: Session | undefined;
  let retry: NodeJS.Timeout | undefined;
  let retryMs = FIRST_RETRY_MS;
  let closed = false;

  const connect = async () => {
    retry = undefined;
    const client: Session = new pg.Client({
      ...connection,
      application_name: 'workspace-providers listener',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    });
    session = client;
    client.on('notification', hear);
    // pg also emits `end` after `error`: one of them is enough.
    client.on('error', () => {});
    client.once('end', connectLater);
    try {
      await client.connect();
      await client.query('listen provider_changes');
      // Listening keeps no process alive.
      client.unref?.();
      retryMs = FIRST_RETRY_MS;
      hear();
    } catch {
      // The client may have emitted `end` already, or may emit it when another client is connected.
      client.removeListener('end', connectLater);
      client.end().catch(() => {});
      connectLater();
    }
  };
  const connectLater = () => {
    if (closed || retry) return;
    // At a random delay, so that the workers of a fleet do not all come back at once.
    retry = setTimeout(() => void connect(), retryMs * (0.5 + Math.random())).unref();
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
  };

  void connect();
  return {
    async close() {
      if (closed) return;
      closed = true;
      clearTimeout(retry);
      hear.cancel();
      // Otherwise a process with nothing else to do would end before the session has.
      session?.ref?.();
      await session?.end().catch(() => {});
    },
  };
}
