/**
 * Starts what a worker needs: a database and a Temporal server. A server that is given is used instead, and left
 * running. It prints nothing. What it starts ends with this process, however that ends (`processes.ts`).
 */
import { startPostgres } from './postgres.js';
import { startTemporal } from './temporal.js';

export interface PartsOptions {
  /** A Postgres to use instead of starting one. Default: `DATABASE_URL`; if that is not set, one is started. */
  readonly databaseUrl?: string | undefined;
  /** A Temporal server to use, `host:port`. Default: `TEMPORAL_ADDRESS`; if that is not set, one is started. */
  readonly temporalAddress?: string | undefined;
  /** Default: the environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Called with a line, without secrets, before each part that takes a while. */
  readonly log?: (line: string) => void;
}

export interface Parts {
  /** The URL with the password; the superuser's if the server was started here. */
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  /** `undefined` if the server was not started here. */
  readonly temporalUiUrl: string | undefined;
  /** Stops what was started here. Idempotent. */
  stop(): Promise<void>;
}

/** @throws PartUnavailable if one of them cannot be started; the other one is stopped then */
export async function startParts(options: PartsOptions = {}): Promise<Parts> {
  const { env = process.env, log = () => {} } = options;
  const databaseUrl = options.databaseUrl || env.DATABASE_URL;
  const temporalAddress = options.temporalAddress || env.TEMPORAL_ADDRESS;
  const [postgres, temporal] = await Promise.allSettled([
    databaseUrl ? { url: databaseUrl, stop: leaveAlone } : startPostgres(),
    temporalAddress ? { address: temporalAddress, uiUrl: undefined, stop: leaveAlone } : startTemporal({ env, log }),
  ]);
  const stop = async () => {
    await Promise.all([postgres, temporal].map((part) => part.status === 'fulfilled' && part.value.stop()));
  };
  if (postgres.status === 'fulfilled' && temporal.status === 'fulfilled') {
    const { address, uiUrl } = temporal.value;
    return { databaseUrl: postgres.value.url, temporalAddress: address, temporalUiUrl: uiUrl, stop };
  }
  await stop();
  throw postgres.status === 'rejected' ? postgres.reason : (temporal as PromiseRejectedResult).reason;
}

async function leaveAlone(): Promise<void> {}
