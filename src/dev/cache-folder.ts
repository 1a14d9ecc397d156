/**
 * The folder of downloaded programs: `$XDG_CACHE_HOME/workspace-providers` (default: in `~/.cache`). If it cannot be
 * written, a temporary folder that only this user can write, because its programs are run.
 */
import { access, constants, lstat, mkdir, mkdtemp } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';

const NAME = 'workspace-providers';
const WRITABLE_BY_OTHERS = 0o022;

/** The folders in which a program may have been kept earlier. The user's may be readable only, as in an image. */
export async function cacheFolders(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const temporary = temporaryCacheFolder();
  return [userCacheFolder(env) ?? [], (await isPrivate(temporary)) ? temporary : []].flat();
}

/** Makes the folder for a download, if there is none. */
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
  const temporary = temporaryCacheFolder();
  await mkdir(temporary, { mode: 0o700 }).catch(() => {});
  return (await isPrivate(temporary)) ? temporary : mkdtemp(`${temporary}-`);
}

/** `undefined` if the user has no home. */
function userCacheFolder({ XDG_CACHE_HOME, HOME }: NodeJS.ProcessEnv): string | undefined {
  if (XDG_CACHE_HOME && isAbsolute(XDG_CACHE_HOME)) return join(XDG_CACHE_HOME, NAME);
  const home = HOME || homeFolder();
  return home && join(home, '.cache', NAME);
}

function temporaryCacheFolder(): string {
  return join(tmpdir(), `${NAME}-cache-${process.getuid?.() ?? 'user'}`);
}

/** Somebody else may have made the folder, or may write in it. */
async function isPrivate(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return Boolean(found?.isDirectory() && found.uid === process.getuid?.() && (found.mode & WRITABLE_BY_OTHERS) === 0);
}

/** A container may run as a user that its machine does not know. */
function homeFolder(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}
