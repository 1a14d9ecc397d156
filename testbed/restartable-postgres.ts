/** A Postgres that can be stopped or crashed, and started again on the same port and data folder. */
import { type PostgresOptions, startPostgres } from '../src/dev/postgres.js';

export interface RestartablePostgres {
  /** The superuser's URL; the same after a restart. */
  readonly url: string;
  readonly port: number;
  /** The process id of the postmaster that runs now, or ran last. */
  readonly pid: number;
  /** `immediate` is a crash. Idempotent. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** Starts it again if it is stopped. */
  restart(): Promise<void>;
}

/** @param options - the data folder is required: it keeps the cluster while the server is stopped */
export async function startRestartablePostgres(
  options: PostgresOptions & { readonly dataFolder: string },
): Promise<RestartablePostgres> {
  let server = await startPostgres(options);
  let isRunning = true;
  const { url, port } = server;
  return {
    url,
    port,
    get pid() {
      return server.pid;
    },
    async stop(mode) {
      isRunning = false;
      await server.stop(mode);
    },
    async restart() {
      if (isRunning) return;
      server = await startPostgres({ ...options, port });
      isRunning = true;
    },
  };
}
