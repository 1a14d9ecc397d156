/** A Postgres that can be stopped or crashed, and started again on the same port and data folder. */
import { execFile } from 'node:child_process';
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type PostgresOptions, type PostgresPart, startPostgres } from '../src/dev/postgres.js';

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
  /** Copies the cluster as it is now. The server is stopped for that, and started again. */
  backUp(): Promise<void>;
  /** Crashes the server, and starts it on the copy: what was written since the copy is lost. */
  restore(): Promise<void>;
  /**
   * Starts a standby on the copy.
   *
   * @param dataFolder - an empty folder
   * @param follows - whether it receives what this server writes
   */
  startStandby(dataFolder: string, follows: boolean): Promise<PostgresPart>;
}

const copyFolder = (from: string, to: string) => promisify(execFile)('cp', ['-a', from, to]);

/** @param options - the data folder is required: it keeps the cluster while the server is stopped */
export async function startRestartablePostgres(
  options: PostgresOptions & { readonly dataFolder: string },
): Promise<RestartablePostgres> {
  let server = await startPostgres(options);
  let isRunning = true;
  const { url, port } = server;
  const [cluster, backup] = [join(options.dataFolder, 'cluster'), join(options.dataFolder, 'backup')];
  const part: RestartablePostgres = {
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
    async backUp() {
      await part.stop();
      await rm(backup, { recursive: true, force: true });
      await copyFolder(cluster, backup);
      await part.restart();
    },
    async restore() {
      await part.stop('immediate');
      await rm(cluster, { recursive: true, force: true });
      await copyFolder(backup, cluster);
      await part.restart();
    },
    async startStandby(dataFolder, follows) {
      await mkdir(dataFolder, { recursive: true });
      await copyFolder(backup, join(dataFolder, 'cluster'));
      await copyFolder(join(options.dataFolder, 'password'), dataFolder);
      const { port: at, username, password } = new URL(url);
      const primary = `host=127.0.0.1 port=${at} user=${username} password=${password}`;
      const conninfo = `primary_conninfo = '${primary}'\n`;
      if (follows) await appendFile(join(dataFolder, 'cluster', 'postgresql.auto.conf'), conninfo);
      await writeFile(join(dataFolder, 'cluster', 'standby.signal'), '');
      const { port: _, ...others } = options;
      return startPostgres({ ...others, dataFolder });
    },
  };
  return part;
}
