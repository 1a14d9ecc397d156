/**
 * The one cryptographic form of this project: a compact JWE, `alg: dir`, `enc: A256GCM`, by `jose`.
 *
 * A reader knows every member of the header before it looks at the ciphertext (it has the row's identity), so the
 * header is compared, byte by byte, with the one that it would have written: nothing that an attacker can write is
 * parsed, and there is no algorithm, `zip`, `crit` or key in a header to be talked into. It rests on that: all members
 * are known, ASCII, and in one order.
 */
import type { webcrypto } from 'node:crypto';
import { compactDecrypt } from 'jose/jwe/compact/decrypt';
import { CompactEncrypt } from 'jose/jwe/compact/encrypt';

/** A key in use: AES-256-GCM, not extractable, so no dump of an object shows its bytes. */
export type AesKey = webcrypto.CryptoKey;

/** All members of a protected header, beside `alg` and `enc`. */
export type HeaderMembers = Readonly<Record<'typ' | 'kid' | 'workspace_id', string>> & Readonly<Record<string, string>>;

export const KEY_BYTES = 32;

export function importKey(bytes: Uint8Array): Promise<AesKey> {
  return crypto.subtle.importKey('raw', Uint8Array.from(bytes), 'AES-GCM', false, ['encrypt', 'decrypt']);
}

/** The first part of a compact JWE that has these members: what any writer of the format produces, to the byte. */
export function encodeHeader(members: HeaderMembers): string {
  return Buffer.from(JSON.stringify(completeHeader(members))).toString('base64url');
}

export function encrypt(members: HeaderMembers, plaintext: Uint8Array, key: AesKey): Promise<string> {
  return new CompactEncrypt(plaintext).setProtectedHeader(completeHeader(members)).encrypt(key);
}

/** @throws whatever went wrong; callers say one thing, whatever it was. */
export async function decrypt(encodedHeader: string, jwe: string, key: AesKey): Promise<Uint8Array> {
  if (!isCanonical(encodedHeader, jwe)) throw new Error('not in the one form in which it is written');
  return (await compactDecrypt(jwe, key)).plaintext;
}

/**
 * Members in alphabetical order: libraries keep the order in which they are given members, or sort them, and both
 * write the same bytes.
 */
function completeHeader(members: HeaderMembers) {
  const header = { alg: 'dir', enc: 'A256GCM', ...members };
  return Object.fromEntries(Object.entries(header).sort(([a], [b]) => (a < b ? -1 : 1))) as typeof header;
}

/** base64url has several spellings of the same bytes, and decoders take them: with one allowed, every byte counts. */
function isCanonical(encodedHeader: string, jwe: string): boolean {
  const [header, encryptedKey, ...parts] = jwe.split('.');
  return (
    header === encodedHeader &&
    encryptedKey === '' &&
    parts.every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
  );
}
