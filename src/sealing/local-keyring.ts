/**
 * Root keys from the environment: for development, and wherever the platform already injects secrets into its
 * processes. Every process that has them can open every workspace; a key service (another `RootKeyring`) narrows that.
 */
import { ProviderError } from '../protocol/errors.js';
import type { WrappedDataKey } from '../protocol/records.js';
import { rememberOwnSecret } from '../redaction/opened-secrets.js';
import { type AesKey, decrypt, encrypt, type Header, importKey, isHeader, KEY_BYTES } from './compact-jwe.js';
import type { RootKeyring } from './root-keyring.js';

const ROOT_KEY_ID = /^[A-Za-z0-9_.-]{1,32}$/;

/**
 * Root keys as `ENCRYPTION_KEY` holds them: `id:base64,id:base64`, 256 bits each. The first one wraps; all of them
 * unwrap. To replace a root key, put the new one first and take the old one out when every data key is wrapped again.
 *
 * @throws ProviderError `ProviderConfigInvalid`, which names the entry by its position and never shows what is in it.
 */
export function parseLocalKeyring(text: string | undefined): RootKeyring {
  if (!text?.trim()) throw invalid('is not set: without a root key nothing can be sealed');
  const keys = new Map<string, Uint8Array>();
  for (const [index, entry] of text.split(',').entries()) {
    const { id, key } = parseEntry(entry.trim(), `entry ${index + 1}`);
    if (keys.has(id)) throw invalid(`entry ${index + 1} has an id that an earlier entry has`);
    if ([...keys.values()].some((other) => Buffer.compare(other, key) === 0))
      throw invalid(`entry ${index + 1} repeats the key of an earlier entry under another id`);
    keys.set(id, key);
  }
  return new LocalKeyring(keys);
}

function parseEntry(entry: string, where: string): { id: string; key: Uint8Array } {
  const colon = entry.indexOf(':');
  if (entry === '') throw invalid(`${where} is empty`);
  if (colon < 0) throw invalid(`${where} has no id`);
  const id = entry.slice(0, colon);
  if (!ROOT_KEY_ID.test(id)) throw invalid(`${where} has an id that is not 1 to 32 of A-Z a-z 0-9 _ . -`);
  const encoded = entry.slice(colon + 1);
  const key = Buffer.from(encoded, 'base64');
  if (key.toString('base64') !== encoded) throw invalid(`${where} holds a key that is not base64 with its padding`);
  if (key.length !== KEY_BYTES) throw invalid(`${where} holds a key of ${key.length * 8} bits, not 256`);
  if (key.every((byte) => byte === key[0])) throw invalid(`${where} holds one byte repeated, not a random key`);
  rememberOwnSecret(encoded);
  return { id, key };
}

function invalid(what: string): ProviderError {
  return new ProviderError(
    'ProviderConfigInvalid',
    `ENCRYPTION_KEY ${what}. It is id:key, or a list with the active one first (id:key,id:key), ` +
      'where id is a name of your choice and key is the output of: openssl rand -base64 32',
    { fields: ['ENCRYPTION_KEY'] },
  );
}

class LocalKeyring implements RootKeyring {
  readonly #keys: ReadonlyMap<string, Promise<AesKey>>;
  readonly #activeId: string;

  constructor(keys: ReadonlyMap<string, Uint8Array>) {
    const imported = [...keys].map(([id, bytes]) => [id, importKey(bytes).finally(() => bytes.fill(0))] as const);
    this.#keys = new Map(imported);
    this.#activeId = keys.keys().next().value as string;
  }

  async wrap(dataKey: Uint8Array, { workspaceId, kid }: { workspaceId: string; kid: string }) {
    const rootKeyId = this.#activeId;
    const key = (await this.#keys.get(rootKeyId)) as AesKey;
    return { rootKeyId, wrappedKey: await encrypt(headerOf(rootKeyId, workspaceId, kid), dataKey, key) };
  }

  async unwrap({ kid, rootKeyId, wrappedKey }: WrappedDataKey, workspaceId: string): Promise<Uint8Array> {
    try {
      return await decrypt(wrappedKey, async (header) => {
        const key = await this.#keys.get(rootKeyId);
        if (!key || !isHeader(header, headerOf(rootKeyId, workspaceId, kid))) throw new Error('lost, or not this one');
        return key;
      });
    } catch {
      throw new ProviderError('CredentialUnreadable', `a data key of ${workspaceId} does not unwrap`);
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
