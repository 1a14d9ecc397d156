/**
 * A durable Postgres whose wall clock jumps while it runs, and that can crash and restart on the same port. It has the
 * monotonic clock of the host, because the fence assumes a correct monotonic clock.
 */
import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type RestartablePostgres, startRestartablePostgres } from '../../../testbed/restartable-postgres.js';
import { findLibfaketime, libfaketimeUnavailable } from './libfaketime.js';

export interface ClockedPostgresOptions {
  /** The folder of the cluster, which `stop()` keeps. Next to it, a folder with the suffix `.clock` moves the clock. */
  readonly dataFolder: string;
  /** Default: a free port. */
  readonly port?: number;
  /** Server settings, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

export interface ClockedPostgres {
  /** The superuser's URL, which a restart does not change. */
  readonly url: string;
  readonly port: number;
  /** The process id of the current or the last postmaster. */
  readonly pid: number;
  /** The difference between its wall clock and the host's. */
  readonly offsetSeconds: number;
  /**
   * Moves the wall clock; a negative number moves it back. Each server process sees it within a second, and a restart
   * keeps it. Postgres' own timeouts and `pg_sleep` use it: a statement timeout that was set before a jump back is late
   * by that time, and one that was set before a jump forward fires at once, as "due to user request".
   */
  jump(seconds: number): Promise<void>;
  /** Stops it like SIGQUIT: without a checkpoint, and with cut sessions. It stays down until `restart()`. */
  crash(): Promise<void>;
  /** Starts and recovers on the same port. Crashes it first if it still runs. */
  restart(): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** @throws PartUnavailable if Postgres or libfaketime is not available. */
export async function startClockedPostgres(options: ClockedPostgresOptions): Promise<ClockedPostgres> {
  const folder = `${resolve(options.dataFolder)}.clock`;
  const clock = { library: join(folder, 'libfaketime.so.1'), file: join(folder, 'offset') };
  const installed = await findLibfaketime();
  const leave = () => rm(folder, { recursive: true, force: true });

  async function checkClock(started: RestartablePostgres): Promise<void> {
    if ((await readFile(`/proc/${started.pid}/maps`, 'utf8')).includes(clock.library)) return;
    await started.stop();
    throw libfaketimeUnavailable(`${installed} was not loaded: is it for ${process.arch}?`);
  }

  let offsetSeconds = 0;
  let server: RestartablePostgres;
  try {
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o755);
    await copyFile(installed, clock.library); // Postgres' user may be unable to enter the cache folder
    await chmod(clock.library, 0o644);
    await writeOffset(clock.file, offsetSeconds);
    server = await startRestartablePostgres({ ...options, durable: true, env: environment(clock) });
    await checkClock(server);
  } catch (error) {
    await leave();
    throw error;
  }
  const { url, port } = server;
  const crash = () => server.stop('immediate');
  return {
    url,
    port,
    get pid() {
      return server.pid;
    },
    get offsetSeconds() {
      return offsetSeconds;
    },
    jump: async (seconds) => {
      offsetSeconds += seconds;
      await writeOffset(clock.file, offsetSeconds);
    },
    crash,
    restart: async () => {
      await crash();
      await server.restart();
      await checkClock(server);
    },
    stop: async () => {
      await server.stop();
      await leave();
    },
  };
}

/**
 * The file is read once per second and not for each reading of the clock, because reading it allocates memory, and
 * Postgres also reads the clock in signal handlers, which may interrupt an allocation.
 */
function environment({ library, file }: { library: string; file: string }): Record<string, string> {
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: '0',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  };
}

/** Writes atomically, because half a number is another time. */
async function writeOffset(file: string, seconds: number): Promise<void> {
  const next = `${file}.next`;
  await writeFile(next, `${seconds < 0 ? '' : '+'}${seconds}\n`, { mode: 0o644 });
  await chmod(next, 0o644); // whatever the umask
  await rename(next, file);
}
