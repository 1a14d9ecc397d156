/** The files with grant keys: a private key for the service that starts workflows, and a key set for workers. */
import { randomUUID } from 'node:crypto';
import { readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { ProviderError } from '../protocol/errors.js';
import type { GrantKind } from '../protocol/grants.js';
import { generateGrantKey, type KeySet, parseKeySet, type Revocation } from './grant-keys.js';

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
): Promise<{ readonly kid: string }> {
  return locked(keySetFile, async () => {
    const { keys, revoked } = await readKeySetFile(keySetFile, { keys: [], revoked: [] });
    const { signingKey, publicKey } = await generateGrantKey(grants);
    const content = `${JSON.stringify(signingKey)}\n`;
    await writeFile(signingKeyFile, content, { mode: 0o600, flag: 'wx' }).catch(() => {
      throw invalid('the file for the signing key exists already, or cannot be written: choose another path');
    });
    await writeKeySetFile(keySetFile, { keys: [publicKey, ...keys], revoked });
    return { kid: publicKey.kid };
  });
}

/** Adds a revocation to a key set. @throws ProviderError `SetupInvalid` if the file cannot be read or written */
export async function revokeGrants(keySetFile: string, revocation: Revocation): Promise<void> {
  await locked(keySetFile, async () => {
    const set = await readKeySetFile(keySetFile);
    await writeKeySetFile(keySetFile, { ...set, revoked: [...set.revoked, revocation] });
  });
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

async function readKeySetFile(path: string, absent?: KeySet): Promise<KeySet> {
  try {
    return parseKeySet(await readFile(path, 'utf8'), 'the key set');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    if (code === 'ENOENT' && absent) return absent;
    throw invalid('the file of the key set cannot be read: check its path and its permissions');
  }
}

/** Replaces the file atomically: a worker may be reading it. */
async function writeKeySetFile(path: string, set: KeySet): Promise<void> {
  try {
    // Replace the target of a link, not the link.
    const target = await realpath(path).catch(() => path);
    const written = `${target}.${randomUUID()}`;
    await writeFile(written, `${JSON.stringify(set, undefined, 2)}\n`);
    await rename(written, target);
  } catch {
    throw unwritable();
  }
}

function unwritable(): ProviderError {
  return invalid('the file of the key set cannot be written: check its path and its permissions');
}

function invalid(message: string): ProviderError {
  return new ProviderError('SetupInvalid', message, { fields: ['key-set'] });
}
