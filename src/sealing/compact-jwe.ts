/**
 * The one cryptographic form of this project: a compact JWE, `alg: dir`, `enc: A256GCM`, by `jose`.
 *
 * A reader knows every member that the protected header must have before it reads one, so a header chooses nothing: no
 * algorithm, no `zip`, no `crit`, no key of its own. It is compared whole, before any key is touched.
 */
import type { webcrypto } from 'node:crypto';
import { compactDecrypt } from 'jose/jwe/compact/decrypt';
import { CompactEncrypt } from 'jose/jwe/compact/encrypt';

/** A key in use: AES-256-GCM, not extractable, so that nothing which prints or clones objects shows its bytes. */
export type AesKey = webcrypto.CryptoKey;

export const KEY_BYTES = 32;

/** All members of a protected header. */
export interface Header {
  readonly alg: 'dir';
  readonly enc: 'A256GCM';
  readonly typ: string;
  readonly kid: string;
  readonly [member: string]: string;
}

/**
 * Header, no encrypted key, 96 bits of IV, ciphertext, 128 bits of tag. base64url has several spellings of the same
 * bytes, and decoders take them all; here only the one that encoders write, so that each character of a JWE counts.
 */
const COMPACT_JWE = /^[\w-]+\.\.[\w-]{16}\.(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?\.[\w-]{21}[AQgw]$/;

export function importKey(bytes: Uint8Array): Promise<AesKey> {
  return crypto.subtle.importKey('raw', Uint8Array.from(bytes), 'AES-GCM', false, ['encrypt', 'decrypt']);
}

export function encrypt(header: Header, plaintext: Uint8Array, key: AesKey): Promise<string> {
  return new CompactEncrypt(plaintext).setProtectedHeader(header).encrypt(key);
}

/**
 * @param keyOf the key of a JWE with this header, which is not authenticated yet; throws where the header is not the
 * expected one
 * @throws whatever went wrong, `keyOf`'s own errors among it; callers say one thing, whatever it was
 */
export async function decrypt(jwe: string, keyOf: (header: object) => Promise<AesKey>): Promise<Uint8Array> {
  if (!COMPACT_JWE.test(jwe)) throw new Error('not in the form in which JWEs are written here');
  const { plaintext } = await compactDecrypt(jwe, async (header) => {
    if (!isSpeltShortest(jwe, header)) throw new Error('not in the form in which headers are written here');
    return keyOf(header);
  });
  return plaintext;
}

/**
 * JSON has several spellings of a header, too. White space, escapes and a member that stands twice, of which other
 * readers may take the other one, all make it longer than it need be.
 */
function isSpeltShortest(jwe: string, header: object): boolean {
  const shortest = Buffer.byteLength(JSON.stringify(header));
  return jwe.indexOf('.') === Math.ceil((shortest * 4) / 3);
}

/** Whether a header has these members and no others. */
export function isHeader(header: object, expected: Header): boolean {
  const names = Object.keys(expected);
  return (
    Object.keys(header).length === names.length &&
    names.every((name) => (header as Record<string, unknown>)[name] === expected[name])
  );
}
