/** Fixtures of the sealing tests. */
import { createHash } from 'node:crypto';
import { compactDecrypt } from 'jose/jwe/compact/decrypt';
import { isProviderError, type ProviderError } from '../../src/protocol/errors.js';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import type { RootKeyring } from '../../src/sealing/root-keyring.js';
import { type CredentialPlace, Sealer } from '../../src/sealing/sealer.js';
import type { WrappedDataKey } from '../../src/store/ports.js';

export const CANARY = 'canary-c0ffee-never-in-the-clear';
export const PLAINTEXT = JSON.stringify({ apiKey: CANARY });
export const ACME_IDENTITY: ProviderIdentity = { workspaceId: 'ws_acme', type: 'llm', name: 'anthropic' };
export const ACME: CredentialPlace = { ...ACME_IDENTITY, destination: 'https://api.anthropic.com' };

/** A root key in the format of `ENCRYPTION_KEY`: the hash of a text. */
export function fakeRootKey(id: string, text = id): string {
  return `${id}:${createHash('sha256').update(`a test key: ${text}`).digest('base64')}`;
}

export const ROOT_2025 = fakeRootKey('root-2025');
export const ROOT_2026 = fakeRootKey('root-2026');

export async function sealed(keyring: RootKeyring = parseLocalKeyring(ROOT_2025)) {
  const sealer = new Sealer(keyring);
  const dataKey = await sealer.createDataKey(ACME.workspaceId);
  return { keyring, sealer, dataKey, jwe: await sealer.seal(ACME, PLAINTEXT, dataKey) };
}

/** The failure of a call that must fail, as a `ProviderError`. */
export async function failureOf(running: Promise<unknown>): Promise<ProviderError> {
  const outcome = await running.then(
    () => 'it succeeded',
    (error: unknown) => error,
  );
  if (!isProviderError(outcome)) throw new Error(`expected a ProviderError, not: ${outcome}`);
  return outcome;
}

/** Everything that an error shows when it is printed. */
export function shownBy(error: Error): string {
  return [error.message, error.stack, JSON.stringify(error), String(error.cause)].join('\n');
}

/** A root keyring that counts its unwraps, and fails if `failure` is set. */
export class WatchedKeyring implements RootKeyring {
  unwraps = 0;
  failure?: Error;
  activeKeyId: string;

  constructor(private readonly keyring: RootKeyring = parseLocalKeyring(ROOT_2025)) {
    this.activeKeyId = keyring.activeKeyId;
  }

  async preflight(): Promise<void> {}

  async wrap(dataKey: Uint8Array, context: { workspaceId: string; kid: string }) {
    if (this.failure) throw this.failure;
    return this.keyring.wrap(dataKey, context);
  }

  async unwrap(wrapped: WrappedDataKey, workspaceId: string) {
    this.unwraps += 1;
    if (this.failure) throw this.failure;
    return this.keyring.unwrap(wrapped, workspaceId);
  }
}

/** Decrypts with jose only: an independent reader proves the format. */
export async function openByJose(jwe: string, key: Uint8Array, encoding: BufferEncoding = 'utf8') {
  const { plaintext, protectedHeader } = await compactDecrypt(jwe, key);
  return { plaintext: Buffer.from(plaintext).toString(encoding), protectedHeader };
}
