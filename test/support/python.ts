/**
 * Pythons with packages, for services of the platform that are not in TypeScript. pip installs an environment once, in
 * a per-user cache folder that later runs share.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const run = promisify(execFile);

const INSTALL_TIMEOUT_MS = 170_000;
const REQUIREMENTS = fileURLToPath(new URL('../sealing/python/requirements.txt', import.meta.url));

/**
 * The Python, or why this machine has none. In CI it throws instead.
 *
 * @param requirements - the file that names the packages. Default: what signers and readers of sealed texts need
 */
export async function pythonOrReason(
  requirements = REQUIREMENTS,
): Promise<{ readonly path: string } | { readonly missing: string }> {
  try {
    return { path: await pythonWith(requirements) };
  } catch (error) {
    const missing = `no Python with the packages of ${requirements}: ${error instanceof Error ? error.message.split('\n')[0] : 'unknown'}`;
    if (process.env.CI) throw new Error(missing);
    return { missing };
  }
}

/** The one Python block of a page. */
export async function documentedPython(page: string): Promise<string> {
  const blocks = [...(await readFile(page, 'utf8')).matchAll(/^```python\n(.*?)^```$/gms)];
  if (blocks.length !== 1) throw new Error(`${page} must have exactly one Python block`);
  return blocks[0]?.[1] as string;
}

/** Creates the environment in a temporary folder and renames it, so that parallel runs never use an incomplete one. */
async function pythonWith(requirements: string): Promise<string> {
  const { stdout: version } = await run('python3', ['--version']);
  const wanted = createHash('sha256')
    .update(version)
    .update(await readFile(requirements))
    .digest('hex');
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'workspace-providers');
  const ready = join(cache, `python-${wanted.slice(0, 16)}`);
  if (!(await exists(ready))) {
    await mkdir(cache, { recursive: true });
    const made = await mkdtemp(join(cache, 'making-python-'));
    try {
      await run('python3', ['-m', 'venv', made]);
      const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
      await run(join(made, 'bin/python'), install, { timeout: INSTALL_TIMEOUT_MS });
      await rename(made, ready);
    } catch (error) {
      await rm(made, { recursive: true, force: true });
      if (!(await exists(ready))) throw error;
    }
  }
  return join(ready, 'bin/python');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
