/**
 * Starts what a worker needs: a database and a Temporal server. A server that is given is used instead, and left
 * running. It prints nothing. What it starts ends with this process, however that ends (`processes.ts`).
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type PostgresPart, startPostgres } from './postgres.js';
import { type PartsInstead, requireAll } from './requirements.js';
import { startTemporal, type TemporalPart } from './temporal.js';

export interface PartsOptions {
  /** A Postgres to use instead of starting one. */
  readonly databaseUrl?: string | undefined;
  /** A Temporal server to use instead of starting one, `host:port`. */
  readonly temporalAddress?: string | undefined;
  /** A folder that keeps the data of both servers across starts. Default: the data is removed at the end. */
  readonly dataFolder?: string | undefined;
  /** The ports to use if they are free. Default: any free ports. */
  readonly ports?: Ports;
  /** A namespace to register at Temporal beside `default`. */
  readonly namespace?: string | undefined;
  /** How to do without a part, for the message that it cannot be started. */
  readonly instead?: PartsInstead;
  /** The environment of downloads. Default: that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Called with a line, without secrets, before each part that takes a while. */
  readonly log?: (line: string) => void;
}

export interface Ports {
  readonly postgres: number;
  readonly temporal: number;
  readonly temporalUi: number;
}

export interface Parts {
  /** The URL with the password; the superuser's if the server was started here. */
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  /** `undefined` if the server was not started here. */
  readonly temporalUiUrl: string | undefined;
  /** The servers that were started here. */
  readonly started: readonly StartedServer[];
  /** Stops what was started here. Idempotent. */
  stop(): Promise<void>;
}

export interface StartedServer {
  readonly pid: number;
  readonly stopSignal: 'SIGINT' | 'SIGTERM';
  /** A temporary folder, which exists as long as the server runs. */
  readonly scratchFolder: string;
}

/** @throws PartUnavailable with all that is missing; or if one of them cannot be started: the other one is stopped then */
export async function startParts(options: PartsOptions = {}): Promise<Parts> {
  const { databaseUrl, temporalAddress, dataFolder, env = process.env, instead } = options;
  await requireAll({ postgres: !databaseUrl, temporal: !temporalAddress, dataFolder, env, instead });
  const [postgres, temporal] = await Promise.allSettled([
    databaseUrl ? undefined : postgresPart(options),
    temporalAddress ? undefined : temporalPart(options),
  ]);
  const stop = async () => {
    await Promise.all([postgres, temporal].map((part) => part.status === 'fulfilled' && part.value?.stop()));
  };
  if (postgres.status === 'fulfilled' && temporal.status === 'fulfilled') {
    const [database, server] = [postgres.value, temporal.value];
    return {
      databaseUrl: databaseUrl || (database?.url ?? ''),
      temporalAddress: temporalAddress || (server?.address ?? ''),
      temporalUiUrl: server?.uiUrl,
      started: [
        ...(database ? [startedServer(database, 'SIGINT')] : []),
        ...(server ? [startedServer(server, 'SIGTERM')] : []),
      ],
      stop,
    };
  }
  await stop();
  throw postgres.status === 'rejected' ? postgres.reason : (temporal as PromiseRejectedResult).reason;
}

function startedServer(
  { pid, scratchFolder }: PostgresPart | TemporalPart,
  stopSignal: StartedServer['stopSignal'],
): StartedServer {
  return { pid, stopSignal, scratchFolder };
}

/** What is kept should survive a crash of the machine too. */
function postgresPart({ dataFolder, ports }: PartsOptions): Promise<PostgresPart> {
  const kept = dataFolder !== undefined && { dataFolder: join(dataFolder, 'postgres'), durable: true };
  return startPostgres({ preferredPort: ports?.postgres, ...kept });
}

async function temporalPart({ dataFolder, ports, namespace, env, log }: PartsOptions): Promise<TemporalPart> {
  const folder = dataFolder !== undefined ? join(dataFolder, 'temporal') : undefined;
  if (dataFolder !== undefined && folder !== undefined) {
    await mkdir(dataFolder, { recursive: true });
    // Histories have prompts and answers. Only this folder: the user that Postgres runs as enters the one above.
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  return startTemporal({
    ...(env && { env }),
    ...(log && { log }),
    namespace,
    dbFile: folder && join(folder, 'temporal.db'),
    preferredPort: ports?.temporal,
    preferredUiPort: ports?.temporalUi,
  });
}
