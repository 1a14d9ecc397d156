/**
 * The folder of downloaded programs: `$XDG_CACHE_HOME/workspace-providers` (default: in `~/.cache`). If it cannot be
 * written, a temporary folder that only this user can write, because its programs are run.
 */
import { access, constants, lstat, mkdir, mkdtemp } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';

const NAME = 'workspace-providers';
const WRITABLE_BY_OTHERS = 0o022;

/** `undefined` if the user has no home. */
export function userCacheFolder({ XDG_CACHE_HOME, HOME }: NodeJS.ProcessEnv): string | undefined {
  if (XDG_CACHE_HOME && isAbsolute(XDG_CACHE_HOME)) return join(XDG_CACHE_HOME, NAME);
  const home = HOME || homeFolder();
  return home && join(home, '.cache', NAME);
}

/** A folder that exists and can be written. */
export async function cacheFolder(env: NodeJS.ProcessEnv): Promise<string> {
  const folder = userCacheFolder(env);
  try {
    if (folder) {
      await mkdir(folder, { recursive: true });
      await access(folder, constants.W_OK | constants.X_OK);
      return folder;
    }
  } catch {
    // the temporary one
  }
  return privateFolder(join(tmpdir(), `${NAME}-cache-${process.getuid?.() ?? 'user'}`));
}

/** Returns another, new folder if somebody else has made this one, or may write in it. */
async function privateFolder(path: string): Promise<string> {
  await mkdir(path, { mode: 0o700 }).catch(() => {});
  const found = await lstat(path).catch(() => undefined);
  const isOwn = found?.isDirectory() && found.uid === process.getuid?.() && (found.mode & WRITABLE_BY_OTHERS) === 0;
  if (isOwn) return path;
  return mkdtemp(`${path}-`);
}

/** A container may run as a user that its machine does not know. */
function homeFolder(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}
