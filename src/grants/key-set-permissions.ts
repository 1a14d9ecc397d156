/**
 * Who may change the file of a key set: whoever can add a key to it signs for every workspace. Owners, modes and folders
 * are compared; access control lists are not read.
 */
import type { Stats } from 'node:fs';

const WRITABLE_BY_OTHERS = 0o022;
const WRITABLE_BY_ALL = 0o002;
const STICKY = 0o1000;

export function mayOthersWrite({ mode }: Pick<Stats, 'mode'>): boolean {
  return (mode & WRITABLE_BY_OTHERS) !== 0;
}

/**
 * Returns the end of a sentence, `names a file that …`, or `undefined` if only the owner may change the file.
 *
 * @param folder - the folder of the file itself, not of a link to it
 */
export function permissionProblem(file: Stats, folder: Stats, uid = process.geteuid?.()): string | undefined {
  // Windows has no such modes.
  if (uid === undefined) return undefined;
  if (mayOthersWrite(file)) return 'others may write: let only its owner write it (chmod 644)';
  if (file.uid !== uid && file.uid !== 0) {
    return 'another user owns: it must belong to root, or to the user that this process runs as';
  }
  // In a sticky folder, only the owner of a file may replace it.
  const isOpen = (folder.mode & WRITABLE_BY_ALL) !== 0 && (folder.mode & STICKY) === 0;
  return isOpen ? 'others may replace: its folder must not be writable for all (chmod o-w)' : undefined;
}
