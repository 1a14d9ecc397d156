/**
 * Finds libfaketime, which gives a process another wall clock: the installed one, or Debian's package, unpacked into a
 * per-user cache folder without being installed. Only for Linux, where `LD_PRELOAD` loads it.
 */
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PartUnavailable } from '../../../src/dev/processes.js';

const run = promisify(execFile);

/** Not the one that ends in `MT`, which takes a lock per reading of the clock: Postgres reads it in signal handlers. */
const LIBRARY = join('faketime', 'libfaketime.so.1');
const PACKAGE = 'libfaketime';
const DOWNLOAD_TIMEOUT_MS = 60_000;

/**
 * Returns its path: `LIBFAKETIME_PATH`, else where distributions install it, else in the cache, else from apt-get.
 *
 * @throws PartUnavailable if none of these has it, with the package to install
 */
export async function findLibfaketime(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (process.platform !== 'linux') throw libfaketimeUnavailable(`it is not for ${process.platform}`);
  const named = env.LIBFAKETIME_PATH;
  if (named) {
    if (await exists(named)) return named;
    throw libfaketimeUnavailable(`LIBFAKETIME_PATH is ${named}, which does not exist`);
  }
  return (await within('/')) ?? (await unpacked(env));
}

export function libfaketimeUnavailable(reason: string): PartUnavailable {
  return new PartUnavailable(
    `libfaketime cannot be had, and without it no clock jumps: ${reason}. ` +
      "Install Debian's package (apt-get update && apt-get install libfaketime), or set LIBFAKETIME_PATH.",
  );
}

/** Searches a root folder: `/`, or the folder of an unpacked package. */
async function within(root: string): Promise<string | undefined> {
  const ofArchitectures = await readdir(join(root, 'usr/lib')).catch(() => []);
  for (const folder of [
    ...ofArchitectures.map((name) => join('usr/lib', name)),
    'usr/lib',
    'usr/lib64',
    'usr/local/lib',
  ]) {
    const path = join(root, folder, LIBRARY);
    if (await exists(path)) return path;
  }
  return undefined;
}

/** Unpacks into a temporary folder and moves it, so that two processes at once both get a complete one. */
async function unpacked(env: NodeJS.ProcessEnv): Promise<string> {
  const cache = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'workspace-providers');
  const kept = join(cache, `${PACKAGE}-${process.arch}`);
  const found = await within(kept);
  if (found) return found;
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'fetching-'));
  try {
    await run('apt-get', ['download', '--quiet', PACKAGE], { cwd: folder, env, timeout: DOWNLOAD_TIMEOUT_MS });
    const archive = (await readdir(folder)).find((file) => file.endsWith('.deb')) ?? '';
    await run('dpkg-deb', ['--extract', archive, 'root'], { cwd: folder, env });
    await rename(join(folder, 'root'), kept).catch(() => {}); // another process was faster
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw libfaketimeUnavailable(`it is not installed, and apt-get does not bring it: ${stderr?.trim() || message}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const path = await within(kept);
  if (path === undefined) throw libfaketimeUnavailable(`the package ${PACKAGE} does not hold ${LIBRARY}`);
  return path;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
