/** The files with grant keys: a private key for the service that starts workflows, and a key set for workers. */
import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type FileHandle, open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { ProviderError } from '../protocol/errors.js';
import type { GrantKind } from '../protocol/grants.js';
import { parseJson } from '../redaction/parse-json.js';
import { generateGrantKey, parseKeySet, type Revocation, revisionOf } from './grant-keys.js';
import { mayOthersWrite } from './key-set-permissions.js';

/** A key set as its file has it, with the keys and members of others. */
interface KeySetDocument {
  readonly keys: readonly unknown[];
  readonly revoked?: readonly unknown[];
}

/** What the written file has not got of the one that it replaced, and why workers may refuse it. Fixed text. */
export interface WrittenKeySet {
  readonly warnings: readonly string[];
}

/** Workers run as another user than the person who writes the file. The keys are public. */
const MODE_OF_NEW_FILE = 0o644;

/**
 * Generates a key. Writes its private half to a new file that only the user may read, and adds its public half to a key
 * set, which is created if it does not exist.
 *
 * @throws ProviderError `SetupInvalid` if the file of the signing key exists, or the file of the key set is not valid
 */
export async function writeGrantKey(
  signingKeyFile: string,
  keySetFile: string,
  grants: readonly GrantKind[],
): Promise<WrittenKeySet & { readonly kid: string }> {
  return locked(keySetFile, async () => {
    const document = await readKeySetFile(keySetFile, { keys: [] });
    const { signingKey, publicKey } = await generateGrantKey(grants);
    const content = `${JSON.stringify(signingKey)}\n`;
    await writeFile(signingKeyFile, content, { mode: 0o600, flag: 'wx' }).catch(() => {
      throw invalid('the file for the signing key exists already, or cannot be written: choose another path');
    });
    const written = await writeKeySetFile(keySetFile, { ...document, keys: [publicKey, ...document.keys] });
    return { ...written, kid: publicKey.kid };
  });
}

/** Adds a revocation to a key set. @throws ProviderError `SetupInvalid` if the file cannot be read or written */
export async function revokeGrants(keySetFile: string, revocation: Revocation): Promise<WrittenKeySet> {
  return locked(keySetFile, async () => {
    const document = await readKeySetFile(keySetFile);
    return writeKeySetFile(keySetFile, { ...document, revoked: [...(document.revoked ?? []), revocation] });
  });
}

/** The revision of the key set that the file has now. @throws ProviderError `SetupInvalid` if it cannot be read */
export async function revisionOfFile(keySetFile: string): Promise<string> {
  return revisionOf(parseKeySet(JSON.stringify(await readKeySetFile(keySetFile)), 'the key set'));
}

/** Holds a lock during the change: of two changes at the same time, one would be lost. */
async function locked<Result>(path: string, change: () => Promise<Result>): Promise<Result> {
  const lock = `${path}.lock`;
  await writeFile(lock, '', { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw unwritable();
    throw invalid(
      'another command is changing the key set; if none is running, delete the file next to it that ends with .lock',
    );
  });
  try {
    return await change();
  } finally {
    await rm(lock);
  }
}

async function readKeySetFile(path: string, absent?: KeySetDocument): Promise<KeySetDocument> {
  try {
    const text = await readFile(path, 'utf8');
    parseKeySet(text, 'the key set');
    return parseJson(text) as KeySetDocument;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    if (code === 'ENOENT' && absent) return absent;
    throw invalid('the file of the key set cannot be read: check its path and its permissions');
  }
}

/** Replaces the file atomically: a worker may be reading it. The new one has the mode and the owner of the old one. */
async function writeKeySetFile(path: string, document: KeySetDocument): Promise<WrittenKeySet> {
  // Replace the target of a link, not the link.
  const target = await realpath(path).catch(() => path);
  const next = `${target}.${randomUUID()}`;
  try {
    const before = await stat(target).catch(() => undefined);
    const file = await open(next, 'wx', 0o600);
    let warnings: readonly string[];
    try {
      await file.writeFile(`${JSON.stringify(document, undefined, 2)}\n`);
      warnings = before ? await keepOwner(file, before) : [];
      // Not by the mode of `open`, which the umask cuts, and after the owner, whose change may clear bits.
      await file.chmod(before ? before.mode & 0o777 : MODE_OF_NEW_FILE);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, target);
    const isOpen = before && process.geteuid !== undefined && mayOthersWrite(before);
    return { warnings: isOpen ? [...warnings, OTHERS_MAY_WRITE] : warnings };
  } catch {
    await rm(next, { force: true }).catch(() => {});
    throw unwritable();
  }
}

const OTHERS_MAY_WRITE =
  'others may write the file of the key set, so workers refuse it: let only its owner write it (chmod 644)';

/** Only root may give a file to another user; a member of the group may keep the group. */
async function keepOwner(file: FileHandle, { uid, gid }: Stats): Promise<readonly string[]> {
  const made = await file.stat();
  if (made.uid === uid && made.gid === gid) return [];
  if (!(await succeeds(file.chown(uid, gid)))) await succeeds(file.chown(made.uid, gid));
  const now = await file.stat();
  const lost = [...(now.uid === uid ? [] : ['owner']), ...(now.gid === gid ? [] : ['group'])];
  if (lost.length === 0) return [];
  const parts = lost.join(' and ');
  return [`the file of the key set could not keep its ${parts}: check that workers can read it (chown ${uid}:${gid})`];
}

function succeeds(change: Promise<void>): Promise<boolean> {
  return change.then(
    () => true,
    () => false,
  );
}

function unwritable(): ProviderError {
  return invalid('the file of the key set cannot be written: check its path and its permissions');
}

function invalid(message: string): ProviderError {
  return new ProviderError('SetupInvalid', message, { fields: ['key-set'] });
}
