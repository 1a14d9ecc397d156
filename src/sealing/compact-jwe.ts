/**
 * The only cryptographic format of this project: a compact JWE with `alg: dir` and `enc: A256GCM`, by `jose`.
 *
 * A reader knows every member that the protected header must have before it reads the header. So a header chooses
 * nothing: no algorithm, no `zip`, no `crit`, no key. It is compared as a whole, before any key is used (except for a
 * credential's destination, which `sealer.ts` compares after the decryption).
 */
import type { webcrypto } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from '../vendor/jose.js';

/** An AES-256-GCM key in use. It is not extractable, so code that prints or clones objects cannot show its bytes. */
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
 * bytes, and decoders accept them all. Here only the one that encoders write is accepted, so that a JWE with any
 * character changed is refused.
 */
const COMPACT_JWE = /^[\w-]+\.\.[\w-]{16}\.(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?\.[\w-]{21}[AQgw]$/;

export function importKey(bytes: Uint8Array): Promise<AesKey> {
  return crypto.subtle.importKey('raw', Uint8Array.from(bytes), 'AES-GCM', false, ['encrypt', 'decrypt']);
}

export function encrypt(header: Header, plaintext: Uint8Array, key: AesKey): Promise<string> {
  return new CompactEncrypt(plaintext).setProtectedHeader(header).encrypt(key);
}

/**
 * @param keyOf returns the key of a JWE with this header, which is not authenticated yet; throws if the header is not
 *   the expected one
 * @throws any error, including those of `keyOf`. Callers report all of them as the same error
 */
export async function decrypt(jwe: string, keyOf: (header: object) => Promise<AesKey>): Promise<Uint8Array> {
  if (!COMPACT_JWE.test(jwe)) throw new Error('not in the form in which this package writes JWEs');
  const { plaintext } = await compactDecrypt(jwe, async (header) => {
    if (!isSpeltShortest(jwe, header)) throw new Error('not in the form in which this package writes headers');
    return keyOf(header);
  });
  return plaintext;
}

/**
 * JSON too has several spellings of a header. White space, escapes and a repeated member (other readers may take the
 * other value) all make it longer than necessary.
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
