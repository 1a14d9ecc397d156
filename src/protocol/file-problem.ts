/** Why a file cannot be read, for messages. The path is left out: somebody may have set a secret in its place. */

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EISDIR: 'is a folder',
  EACCES: 'this user may not read: check its permissions',
  EPERM: 'this user may not read: check its permissions',
  ENAMETOOLONG: 'does not exist: the name is too long, so it may be the content of the file',
};

/** The end of a sentence: `names a file that …`. @param error - what reading the file threw */
export function fileProblem(error: unknown): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  return PROBLEMS[code] ?? 'cannot be read';
}
