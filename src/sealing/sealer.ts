/**
 * Seals credentials and opens them. Only here does a stored credential become plaintext.
 *
 * A sealed credential is a compact JWE under its workspace's data key. The row's identity and the destination of the
 * secret are in the authenticated header. So a row that was copied to another workspace, type or name does not open, and
 * neither does one whose address was changed without its secret. This relies on the caller: identity and data keys must
 * come from the row's place in the database and the destination from its config, never from the sealed text. Format:
 * `docs/sealing-format.md`.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { checkIdentity, checkWorkspaceId, describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { WrappedDataKey } from '../store/ports.js';
import { type AesKey, decrypt, encrypt, type Header, importKey, isHeader, KEY_BYTES } from './compact-jwe.js';
import type { RootKeyring } from './root-keyring.js';

/** The largest plaintext, in bytes of UTF-8. */
export const MAX_PLAINTEXT_BYTES = 64 * 1024;
/** The largest sealed text, in characters: the largest plaintext in base64url, with room for the header. */
const MAX_SEALED_LENGTH = 96 * 1024;

/** Texts of printable ASCII, separated by spaces, which every JSON encoder writes in the same way. */
const DESTINATION = /^(?:[!#-[\]-~]+(?: [!#-[\]-~]+)*)?$/;
const MAX_DESTINATION_LENGTH = 4096;

/** Where a credential belongs: its row, and where its secret may be sent. */
export interface CredentialPlace extends ProviderIdentity {
  /** The destination of the row's config, from its provider type. Empty if the secret contains its address. */
  readonly destination: string;
}

/** Keeps a byte order mark and refuses malformed UTF-8, so that the opened text is exactly the sealed text. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * @example
 * const sealer = new Sealer(parseLocalKeyring(process.env.ENCRYPTION_KEY));
 * const dataKey = await sealer.createDataKey('ws_acme');
 * const identity = { workspaceId: 'ws_acme', type: 'llm', name: 'anthropic' };
 * const place = { ...identity, destination: 'https://api.anthropic.com' };
 * const sealed = await sealer.seal(place, JSON.stringify({ apiKey }), dataKey);
 * await sealer.open(place, sealed, [dataKey]);
 */
export class Sealer {
  readonly #rootKeyring: RootKeyring;
  /** Promises, so that concurrent callers share the unwrapping of a key. */
  readonly #unwrapped: LRUCache<string, Promise<AesKey>>;

  /** @param options.maxDataKeys how many unwrapped data keys stay in memory, at least 1. Default: 10,000 */
  constructor(rootKeyring: RootKeyring, options: { readonly maxDataKeys?: number } = {}) {
    this.#rootKeyring = rootKeyring;
    this.#unwrapped = new LRUCache({ max: options.maxDataKeys ?? 10_000 });
  }

  /**
   * Creates a data key for a workspace, wrapped under the active root key.
   *
   * @throws ProviderError `ProviderConfigInvalid` if the workspace id is not valid, `KeyServiceUnavailable`
   */
  async createDataKey(workspaceId: string): Promise<WrappedDataKey> {
    checkWorkspaceId(workspaceId);
    return this.#wrap(randomBytes(KEY_BYTES), workspaceId, randomUUID());
  }

  /**
   * @throws ProviderError `ProviderConfigInvalid` if a name is not valid, or the plaintext is over 64 KiB or is not
   *   well-formed Unicode; `CredentialUnreadable` if the data key does not unwrap; `KeyServiceUnavailable`
   */
  async seal(place: CredentialPlace, plaintext: string, dataKey: WrappedDataKey): Promise<string> {
    checkIdentity(place);
    const { destination, workspaceId } = place;
    if (destination.length > MAX_DESTINATION_LENGTH || !DESTINATION.test(destination))
      throw unsealable(place, 'has a destination that is over 4096 characters or not printable ASCII');
    const bytes = Buffer.from(plaintext);
    if (bytes.length > MAX_PLAINTEXT_BYTES) throw unsealable(place, 'is over 64 KiB');
    if (bytes.toString() !== plaintext) throw unsealable(place, 'is not well-formed Unicode');
    const key = await this.#unwrap(dataKey, workspaceId);
    return encrypt(headerOf(place, dataKey.kid), bytes, key);
  }

  /**
   * Returns the plaintext that was sealed for exactly this place.
   *
   * @param dataKeys the workspace's data keys, in any state. The header names the right one
   * @throws ProviderError `CredentialUnreadable`, with the same message whatever went wrong, except that it says so if
   *   the credential is intact and was sealed for another destination; `KeyServiceUnavailable`
   */
  async open(place: CredentialPlace, sealed: string, dataKeys: readonly WrappedDataKey[]): Promise<string> {
    const { plaintext, destination } = await this.#decrypt(place, sealed, dataKeys);
    if (destination === place.destination) return plaintext;
    throw sealedForAnother(place);
  }

  /**
   * Returns the plaintext and the destination that it was sealed for. Only for a caller that sends the secret nowhere
   * but there: to revoke a key whose provider has another address by now.
   *
   * @throws ProviderError `CredentialUnreadable`, `KeyServiceUnavailable`
   */
  openWithDestination(
    identity: ProviderIdentity,
    sealed: string,
    dataKeys: readonly WrappedDataKey[],
  ): Promise<{ readonly plaintext: string; readonly destination: string }> {
    return this.#decrypt(identity, sealed, dataKeys);
  }

  /** The destination is the only member that is compared after the decryption, because only then is it authentic. */
  async #decrypt(identity: ProviderIdentity, sealed: string, dataKeys: readonly WrappedDataKey[]) {
    try {
      if (sealed.length > MAX_SEALED_LENGTH) throw new Error('too long');
      let destination = '';
      const plaintext = await decrypt(sealed, async (header) => {
        destination = String((header as Partial<Header>).destination);
        const place = { ...identity, destination };
        const dataKey = dataKeys.find(({ kid }) => isHeader(header, headerOf(place, kid)));
        if (!dataKey) throw new Error('no such data key, or sealed for another identity');
        return this.#unwrap(dataKey, identity.workspaceId);
      });
      return { plaintext: utf8.decode(plaintext), destination };
    } catch (error) {
      throw unreadable(identity, error);
    }
  }

  /**
   * Wraps the same data key under the active root key. The credentials that it sealed stay as they are.
   *
   * @returns `undefined` if the active root key wraps it already
   * @throws ProviderError `CredentialUnreadable` if it does not unwrap, `KeyServiceUnavailable`
   */
  async rewrap(workspaceId: string, dataKey: WrappedDataKey): Promise<WrappedDataKey | undefined> {
    if (dataKey.rootKeyId === this.#rootKeyring.activeKeyId) return undefined;
    if (this.#rootKeyring.rewrap) {
      return { kid: dataKey.kid, ...(await this.#rootKeyring.rewrap(dataKey, workspaceId)) };
    }
    return this.#wrap(await this.#rootKeyring.unwrap(dataKey, workspaceId), workspaceId, dataKey.kid);
  }

  async #wrap(bytes: Uint8Array, workspaceId: string, kid: string): Promise<WrappedDataKey> {
    try {
      return { kid, ...(await this.#rootKeyring.wrap(bytes, { workspaceId, kid })) };
    } finally {
      bytes.fill(0);
    }
  }

  /**
   * The cache key contains the whole row, so a data key that was wrapped again, replaced or altered has another entry.
   * The parts cannot run together, because a Postgres text cannot contain `\0`.
   */
  #unwrap(dataKey: WrappedDataKey, workspaceId: string): Promise<AesKey> {
    const { kid, rootKeyId, wrappedKey } = dataKey;
    const cacheKey = `${workspaceId}\0${kid}\0${rootKeyId}\0${wrappedKey}`;
    const known = this.#unwrapped.get(cacheKey);
    if (known) return known;
    const unwrapping = this.#unwrapAndImport(dataKey, workspaceId);
    this.#unwrapped.set(cacheKey, unwrapping);
    unwrapping.catch(() => this.#unwrapped.delete(cacheKey));
    return unwrapping;
  }

  async #unwrapAndImport(dataKey: WrappedDataKey, workspaceId: string): Promise<AesKey> {
    const bytes = await this.#rootKeyring.unwrap(dataKey, workspaceId);
    try {
      if (bytes.length !== KEY_BYTES)
        throw new ProviderError('CredentialUnreadable', `a data key of ${workspaceId} is not 256 bits long`);
      return await importKey(bytes);
    } finally {
      bytes.fill(0);
    }
  }
}

function headerOf({ workspaceId, type, name, destination }: CredentialPlace, kid: string): Header {
  return {
    alg: 'dir',
    enc: 'A256GCM',
    typ: 'workspace-provider+jwe',
    kid,
    workspace_id: workspaceId,
    provider_type: type,
    provider_name: name,
    destination,
  };
}

function unreadable({ workspaceId, type, name }: ProviderIdentity, error: unknown): ProviderError {
  const provider = { workspaceId, type, name };
  const what = describeProvider(provider);
  if (isProviderError(error, 'KeyServiceUnavailable'))
    return new ProviderError(
      'KeyServiceUnavailable',
      `the root-key service does not answer: the stored credential of ${what} cannot be opened now`,
      { provider },
    );
  return new ProviderError(
    'CredentialUnreadable',
    `the stored credential of ${what} does not open: ` +
      'check that ENCRYPTION_KEY has its root key, or configure the provider again',
    { provider },
  );
}

function sealedForAnother({ workspaceId, type, name }: ProviderIdentity): ProviderError {
  const provider = { workspaceId, type, name };
  return new ProviderError(
    'CredentialUnreadable',
    `the config of ${describeProvider(provider)} has another destination (base URL, organization, account, project, ` +
      'API version or headers) than its secret was sealed for: configure the provider again, with the secret',
    { provider, fields: ['config', 'secret'] },
  );
}

function unsealable({ workspaceId, type, name }: ProviderIdentity, what: string): ProviderError {
  const provider = { workspaceId, type, name };
  return new ProviderError('ProviderConfigInvalid', `the secret of ${describeProvider(provider)} ${what}`, {
    provider,
    fields: ['secret'],
  });
}
