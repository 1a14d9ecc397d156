/**
 * Seals credentials and opens them: the only place where a stored credential becomes plaintext.
 *
 * Each is a compact JWE under its workspace's data key, with the row's identity in the authenticated header, so a row
 * pasted under another workspace, type or name does not open. It rests on the caller: identity and data keys must come
 * from the row's place in the database, never from the sealed text. The format: `docs/sealing-format.md`.
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
/** The largest sealed text, in characters: that plaintext in base64url, and room for the header. */
const MAX_SEALED_LENGTH = 96 * 1024;

/** A byte order mark is kept and malformed UTF-8 refused: what opens is what was sealed. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * @example
 * const sealer = new Sealer(parseLocalKeyring(process.env.ENCRYPTION_KEY));
 * const dataKey = await sealer.createDataKey('ws_acme');
 * const identity = { workspaceId: 'ws_acme', type: 'llm', name: 'anthropic' };
 * const sealed = await sealer.seal(identity, JSON.stringify({ apiKey }), dataKey);
 * await sealer.open(identity, sealed, [dataKey]);
 */
export class Sealer {
  readonly #rootKeyring: RootKeyring;
  /** Promises, so that concurrent callers of one key share one unwrapping. */
  readonly #unwrapped: LRUCache<string, Promise<AesKey>>;

  /** @param options.maxDataKeys how many unwrapped data keys stay in memory, 1 or more; default 10 000 */
  constructor(rootKeyring: RootKeyring, options: { readonly maxDataKeys?: number } = {}) {
    this.#rootKeyring = rootKeyring;
    this.#unwrapped = new LRUCache({ max: options.maxDataKeys ?? 10_000 });
  }

  /**
   * A new data key for a workspace, wrapped under the active root key.
   *
   * @throws ProviderError `ProviderConfigInvalid` where the workspace id does not fit, `KeyServiceUnavailable`.
   */
  async createDataKey(workspaceId: string): Promise<WrappedDataKey> {
    checkWorkspaceId(workspaceId);
    return this.#wrap(randomBytes(KEY_BYTES), workspaceId, randomUUID());
  }

  /**
   * @throws ProviderError `ProviderConfigInvalid` where a name does not fit, or the plaintext is over 64 KiB or no
   * well-formed Unicode; `CredentialUnreadable` where the data key does not unwrap; `KeyServiceUnavailable`.
   */
  async seal(identity: ProviderIdentity, plaintext: string, dataKey: WrappedDataKey): Promise<string> {
    checkIdentity(identity);
    const bytes = Buffer.from(plaintext);
    if (bytes.length > MAX_PLAINTEXT_BYTES) throw unsealable(identity, 'is over 64 KiB');
    if (bytes.toString() !== plaintext) throw unsealable(identity, 'is not well-formed Unicode');
    const key = await this.#unwrap(dataKey, identity.workspaceId);
    return encrypt(headerOf(identity, dataKey.kid), bytes, key);
  }

  /**
   * The plaintext that was sealed for this very identity.
   *
   * @param dataKeys the workspace's, in any state: the header tells which one
   * @throws ProviderError `CredentialUnreadable`, the same whatever went wrong; `KeyServiceUnavailable`.
   */
  async open(identity: ProviderIdentity, sealed: string, dataKeys: readonly WrappedDataKey[]): Promise<string> {
    try {
      if (sealed.length > MAX_SEALED_LENGTH) throw new Error('too long');
      const plaintext = await decrypt(sealed, async (header) => {
        const dataKey = dataKeys.find(({ kid }) => isHeader(header, headerOf(identity, kid)));
        if (!dataKey) throw new Error('no such data key, or sealed for another identity');
        return this.#unwrap(dataKey, identity.workspaceId);
      });
      return utf8.decode(plaintext);
    } catch (error) {
      const what = describeProvider(identity);
      if (isProviderError(error, 'KeyServiceUnavailable'))
        throw new ProviderError('KeyServiceUnavailable', `the root-key service is away: ${what} does not open now`, {
          provider: identity,
        });
      throw new ProviderError('CredentialUnreadable', `the stored credential of ${what} does not open`, {
        provider: identity,
      });
    }
  }

  /**
   * Wraps the same data key under the active root key. Credentials that it sealed stay as they are.
   *
   * @returns `undefined` if the active root key wraps it already
   * @throws ProviderError `CredentialUnreadable` if it does not unwrap, `KeyServiceUnavailable`.
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
   * All of its row is in the cache's key, so one that was wrapped again, replaced or altered is another one. The parts
   * cannot run together: no `\0` stands in a Postgres text.
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
        throw new ProviderError('CredentialUnreadable', `a data key of ${workspaceId} is not 256 bits`);
      return await importKey(bytes);
    } finally {
      bytes.fill(0);
    }
  }
}

function headerOf({ workspaceId, type, name }: ProviderIdentity, kid: string): Header {
  return {
    alg: 'dir',
    enc: 'A256GCM',
    typ: 'workspace-provider+jwe',
    kid,
    workspace_id: workspaceId,
    provider_type: type,
    provider_name: name,
  };
}

function unsealable(identity: ProviderIdentity, what: string): ProviderError {
  return new ProviderError('ProviderConfigInvalid', `the secret of ${describeProvider(identity)} ${what}`, {
    provider: identity,
    fields: ['secret'],
  });
}
