/**
 * A durable Postgres whose wall clock jumps while it runs, and that can crash and come back on the same port. Its
 * monotonic clock is the host's: a nemesis that moved it would break what the fence assumes.
 */
import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type RestartablePostgres, startRestartablePostgres } from '../../../testbed/restartable-postgres.js';
import { findLibfaketime, libfaketimeUnavailable } from './libfaketime.js';

export interface ClockedPostgresOptions {
  /** Keeps the cluster, beyond `stop()` too. Beside it, under its name and `.clock`, lies what moves the clock. */
  readonly dataFolder: string;
  /** Absent: a free one. */
  readonly port?: number;
  /** Server settings, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

export interface ClockedPostgres {
  /** For the superuser; the same after a restart. */
  readonly url: string;
  readonly port: number;
  /** Of the postmaster that runs now, or ran last. */
  readonly pid: number;
  /** How far its wall clock is from the host's. */
  readonly offsetSeconds: number;
  /**
   * Moves the wall clock, back where negative. Each server process sees it within a second; a restart keeps it.
   * Postgres' own timeouts and `pg_sleep` go by it: a statement timeout that was set before a jump back comes late by
   * that much, and one set before a jump forward comes at once, as "due to user request".
   */
  jump(seconds: number): Promise<void>;
  /** As by SIGQUIT: no checkpoint, sessions are cut. It stays away until `restart()`. */
  crash(): Promise<void>;
  /** Recovers, on the same port. Crashes first where it still runs. */
  restart(): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** @throws PartUnavailable where Postgres or libfaketime cannot be had. */
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
    await copyFile(installed, clock.library); // the cache folder may be closed to the user that Postgres runs as
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
 * The file is read anew once a second, not at each look at the clock: reading it allocates memory, and Postgres looks at
 * the clock in signal handlers too, which may interrupt an allocation.
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

/** Whole or not at all: half a number is another time. */
async function writeOffset(file: string, seconds: number): Promise<void> {
  const next = `${file}.next`;
  await writeFile(next, `${seconds < 0 ? '' : '+'}${seconds}\n`, { mode: 0o644 });
  await chmod(next, 0o644); // whatever the umask
  await rename(next, file);
}
