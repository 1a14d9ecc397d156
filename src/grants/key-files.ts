/** The files that operators keep grants' keys in: a private key for whoever starts workflows, a key set for workers. */
import { randomUUID } from 'node:crypto';
import { readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { ProviderError } from '../protocol/errors.js';
import type { GrantKind } from '../protocol/grants.js';
import { generateGrantKey, type KeySet, parseKeySet, type Revocation } from './grant-keys.js';

/**
 * Makes a key, writes its private half into a new file of the user's own, and adds its public half to a set, which is
 * made where there is none.
 *
 * @throws ProviderError `SetupInvalid` where the signing key's file is there, or the set's is none
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
      throw unfit('the file for the signing key is there already, or cannot be written');
    });
    await writeKeySetFile(keySetFile, { keys: [publicKey, ...keys], revoked });
    return { kid: publicKey.kid };
  });
}

/** Adds what grants are not to be believed any more. @throws ProviderError `SetupInvalid` */
export async function revokeGrants(keySetFile: string, revocation: Revocation): Promise<void> {
  await locked(keySetFile, async () => {
    const set = await readKeySetFile(keySetFile);
    await writeKeySetFile(keySetFile, { ...set, revoked: [...set.revoked, revocation] });
  });
}

/** Two changes at once would lose one of them. */
async function locked<Result>(path: string, change: () => Promise<Result>): Promise<Result> {
  const lock = `${path}.lock`;
  await writeFile(lock, '', { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw unfit('the file of the key set cannot be written');
    throw unfit('the key set is being changed; where nobody does, remove the file beside it that ends with .lock');
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
    throw unfit('the file of the key set cannot be read');
  }
}

/** In one piece: a worker may read it at this moment. */
async function writeKeySetFile(path: string, set: KeySet): Promise<void> {
  try {
    // What a link leads to is replaced, not the link.
    const target = await realpath(path).catch(() => path);
    const written = `${target}.${randomUUID()}`;
    await writeFile(written, `${JSON.stringify(set, undefined, 2)}\n`);
    await rename(written, target);
  } catch {
    throw unfit('the file of the key set cannot be written');
  }
}

function unfit(message: string): ProviderError {
  return new ProviderError('SetupInvalid', message, { fields: ['key-set'] });
}
