/**
 * A real PgBouncer in transaction mode in front of a Postgres, for tests and the demo. Each transaction may run in
 * another session of the server, so code that relies on a session fails here. Loopback only. It looks logins up in
 * Postgres.
 */
import { chown, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isListening, onFreePort } from '../src/dev/ports.js';
import { canReach, postgresUser } from '../src/dev/postgres-binaries.js';
import { requirePosix, startProcess } from '../src/dev/processes.js';
import { findPgBouncer } from './pgbouncer-program.js';

const START_TIMEOUT_MS = 20_000;

export interface PgBouncerOptions {
  /** A superuser's URL: PgBouncer uses this login to look up the others. */
  readonly postgresUrl: string;
  /** Server sessions per database and login. Default: 4, fewer than a client's pool has, so that they are shared. */
  readonly poolSize?: number;
  /** Called before a download. */
  readonly log?: (line: string) => void;
}

export interface PgBouncerPart {
  readonly port: number;
  /** Returns the URL of the same database and login, through the pooler. */
  through(url: string): string;
  /** Stops it, and so its sessions at the server. Idempotent. */
  stop(): Promise<void>;
}

/** @throws PartUnavailable if there is no PgBouncer for this system, or it does not become ready */
export async function startPgBouncer({
  postgresUrl,
  poolSize = 4,
  log = () => {},
}: PgBouncerOptions): Promise<PgBouncerPart> {
  requirePosix();
  const program = await findPgBouncer({ env: process.env, log });
  // Like Postgres, it does not run as root.
  const user = await postgresUser();
  const temporary = (await canReach(user, tmpdir())) ? tmpdir() : '/tmp';
  const folder = await mkdtemp(join(temporary, 'workspace-providers-pgbouncer-'));
  const leave = () => rm(folder, { recursive: true, force: true });
  /** The file may be read only by the user that PgBouncer runs as. */
  const write = async (name: string, text: string) => {
    const file = join(folder, name);
    await writeFile(file, text, { mode: 0o600 });
    if (user) await chown(file, user.uid, user.gid);
    return file;
  };
  try {
    if (user) await chown(folder, user.uid, user.gid);
    const libraries = join(folder, 'program');
    // The unpacked program is in a home that the user may not enter.
    if (program.unpacked) await cp(dirname(program.path), libraries, { recursive: true });
    const { username, password } = new URL(postgresUrl);
    const usersFile = await write('users.txt', `"${decodeURIComponent(username)}" "${decodeURIComponent(password)}"\n`);
    const running = await onFreePort(undefined, async (port) => {
      const configFile = await write('pgbouncer.ini', configuration({ postgresUrl, poolSize, port, usersFile }));
      const bouncer = await startProcess({
        title: 'PgBouncer',
        command: program.unpacked ? join(libraries, 'pgbouncer') : program.path,
        args: [configFile],
        cwd: folder,
        logFile: join(folder, 'pgbouncer.log'),
        stopSignal: 'SIGTERM',
        user,
        env: program.unpacked ? { LD_LIBRARY_PATH: libraries } : {},
        orphanedFolder: folder,
      });
      await bouncer.waitUntil(() => isListening(port), START_TIMEOUT_MS);
      return { port, stop: () => bouncer.stop() };
    });
    return {
      port: running.port,
      through: (url) => {
        const through = new URL(url);
        through.host = `127.0.0.1:${running.port}`;
        return through.href;
      },
      stop: () => running.stop().then(leave),
    };
  } catch (error) {
    await leave();
    throw error;
  }
}

/** No startup parameter is ignored and no session is reset: code that needs that must fail here, not at a user. */
function configuration(of: { postgresUrl: string; poolSize: number; port: number; usersFile: string }): string {
  const { hostname, port, username } = new URL(of.postgresUrl);
  return `
[databases]
* = host=${hostname} port=${port || 5432}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${of.port}
unix_socket_dir =
pool_mode = transaction
default_pool_size = ${of.poolSize}
max_client_conn = 500
auth_type = scram-sha-256
auth_file = ${of.usersFile}
auth_user = ${decodeURIComponent(username)}
`;
}
