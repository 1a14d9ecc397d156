/**
 * What a worker needs around it, started or borrowed: a database and a Temporal server. One that is given is used and
 * left alone. Prints nothing. What was started ends with this process, however it ends (`processes.ts`).
 */
import { startPostgres } from './postgres.js';
import { startTemporal } from './temporal.js';

export interface PartsOptions {
  /** A Postgres to use instead of starting one. Absent: `DATABASE_URL`; empty there too: one is started. */
  readonly databaseUrl?: string | undefined;
  /** A Temporal server to use instead of starting one, `host:port`. Absent: `TEMPORAL_ADDRESS`, likewise. */
  readonly temporalAddress?: string | undefined;
  /** Default: the process's own. */
  readonly env?: NodeJS.ProcessEnv;
  /** Told what is about to happen, a line each, without secrets. */
  readonly log?: (line: string) => void;
}

export interface Parts {
  /** Holds the password; the superuser's where it was started here. */
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  /** Where it was started here. */
  readonly temporalUiUrl: string | undefined;
  /** Ends what was started here. Idempotent. */
  stop(): Promise<void>;
}

/** @throws PartUnavailable where one cannot be started; the other is then ended. */
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
