/**
 * Root keys from the environment: for development, and for platforms that already inject secrets into their processes.
 * Every process that has the keys can open every workspace. A key service (another `RootKeyring`) limits that.
 */
import { ProviderError } from '../protocol/errors.js';
import type { WrappedDataKey } from '../store/ports.js';
import { type AesKey, decrypt, encrypt, type Header, importKey, isHeader } from './compact-jwe.js';
import { parseKeyList } from './key-list.js';
import type { RootKeyring } from './root-keyring.js';

/**
 * Parses root keys as `ENCRYPTION_KEY` has them: `id:base64,id:base64`, 256 bits each. The first one wraps; all of them
 * unwrap. To replace a root key, put the new one first, and remove the old one when every data key is wrapped again.
 *
 * @throws ProviderError `SetupInvalid` if the text is not valid. The message names the entry by its position and never
 *   shows what is in it
 */
export function parseLocalKeyring(text: string | undefined): RootKeyring {
  const whenAbsent = 'is not set: nothing can be sealed without a root key';
  return new LocalKeyring(parseKeyList(text, { name: 'ENCRYPTION_KEY', whenAbsent }));
}

class LocalKeyring implements RootKeyring {
  readonly #keys: ReadonlyMap<string, Promise<AesKey>>;
  readonly activeKeyId: string;

  constructor(keys: ReadonlyMap<string, Uint8Array>) {
    const imported = [...keys].map(([id, bytes]) => [id, importKey(bytes).finally(() => bytes.fill(0))] as const);
    this.#keys = new Map(imported);
    this.activeKeyId = keys.keys().next().value as string;
  }

  async wrap(dataKey: Uint8Array, { workspaceId, kid }: { workspaceId: string; kid: string }) {
    const rootKeyId = this.activeKeyId;
    const key = (await this.#keys.get(rootKeyId)) as AesKey;
    return { rootKeyId, wrappedKey: await encrypt(headerOf(rootKeyId, workspaceId, kid), dataKey, key) };
  }

  /** Does nothing: every key was checked when it was parsed. */
  async preflight(): Promise<void> {}

  async unwrap({ kid, rootKeyId, wrappedKey }: WrappedDataKey, workspaceId: string): Promise<Uint8Array> {
    try {
      return await decrypt(wrappedKey, async (header) => {
        const key = await this.#keys.get(rootKeyId);
        if (!key || !isHeader(header, headerOf(rootKeyId, workspaceId, kid)))
          throw new Error('no such key, or another header');
        return key;
      });
    } catch {
      throw new ProviderError(
        'CredentialUnreadable',
        `a data key of ${workspaceId} does not unwrap: check that ENCRYPTION_KEY has its root key`,
      );
    }
  }
}

function headerOf(rootKeyId: string, workspaceId: string, dataKid: string): Header {
  return {
    alg: 'dir',
    enc: 'A256GCM',
    typ: 'workspace-data-key+jwe',
    kid: rootKeyId,
    workspace_id: workspaceId,
    data_kid: dataKid,
  };
}
