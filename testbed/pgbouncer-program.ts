/**
 * Finds PgBouncer: an installed one, or Debian's packages of it and of two libraries that a small system lacks, which
 * are downloaded once. They are unpacked and not installed, so this needs no root and does not change the system.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { cached, DOWNLOAD_TIMEOUT_MS, type Fetching, onPath, whatDownloadsNeed } from '../src/dev/fetched-programs.js';
import { PartUnavailable } from '../src/dev/processes.js';

const run = (command: string, args: readonly string[], options: Surroundings) =>
  promisify(execFile)(command, args, { ...options, encoding: 'utf8', timeout: DOWNLOAD_TIMEOUT_MS });

interface Surroundings {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The packages' names contain their versions, which change with the release. */
const LIBRARIES = /\blib(?:event|c-ares)[a-z0-9.+-]*/g;

export interface PgBouncerProgram {
  readonly path: string;
  /** Whether its libraries are beside it, in a folder that holds nothing else. */
  readonly unpacked: boolean;
}

/** @throws PartUnavailable if it is not installed and cannot be downloaded from Debian's or Ubuntu's packages */
export async function findPgBouncer({ env, log }: Fetching): Promise<PgBouncerProgram> {
  const { PATH = '' } = env;
  // Servers are installed in `/usr/sbin`, which the `PATH` of a user may leave out.
  const installed = await onPath('pgbouncer', { PATH: `${PATH}:${PATH.replace(/\/bin(?=:|$)/g, '/sbin')}` });
  if ('path' in installed) return { path: installed.path, unpacked: false };
  const fetched = await cached(env, 'pgbouncer', (folder) => unpacked(folder, { env, log }), 'pgbouncer');
  if ('path' in fetched) return { path: fetched.path, unpacked: true };
  throw new PartUnavailable(
    `pgbouncer is not on PATH, and apt-get cannot download it (${fetched.missing}): ` +
      'install it by apt-get install pgbouncer, or brew install pgbouncer',
  );
}

/** @returns a folder with the program and its libraries, side by side */
async function unpacked(folder: string, { env, log }: Fetching): Promise<string> {
  log("downloading PgBouncer, once: Debian's package, half a megabyte");
  const options = { cwd: folder, env: whatDownloadsNeed(env) };
  const download = await downloader(folder, options);
  await download(['pgbouncer']);
  const [pgbouncer = ''] = await readdir(folder).then((files) => files.filter((file) => file.endsWith('.deb')));
  const { stdout: depends } = await run('dpkg-deb', ['--field', pgbouncer, 'Depends'], options);
  await download(depends.match(LIBRARIES) ?? []);

  const tree = join(folder, 'tree');
  for (const file of await readdir(folder)) {
    if (file.endsWith('.deb')) await run('dpkg-deb', ['--extract', file, tree], options);
  }
  const { stdout: files } = await run(
    'find',
    [tree, '-name', 'pgbouncer', '-path', '*bin*', '-o', '-name', 'lib*.so*'],
    options,
  );
  const flat = join(folder, 'pgbouncer');
  await mkdir(flat);
  for (const file of files.trim().split('\n')) await copyFile(file, join(flat, basename(file)));
  return flat;
}

/** Uses the system's package lists. If they are missing, as in most containers, it downloads lists into the folder. */
async function downloader(folder: string, options: Surroundings) {
  const aptGet = (...args: string[]) => run('apt-get', ['--quiet', ...args], options);
  const { stdout: known } = await run('apt-cache', ['--names-only', 'search', '^pgbouncer$'], options);
  if (known.trim()) return (packages: string[]) => aptGet('download', ...packages);
  const lists = ['-o', `Dir::State::lists=${join(folder, 'lists')}`, '-o', `Dir::Cache=${join(folder, 'cache')}`];
  await mkdir(join(folder, 'lists', 'partial'), { recursive: true });
  await aptGet(...lists, 'update');
  return (packages: string[]) => aptGet(...lists, 'download', ...packages);
}
