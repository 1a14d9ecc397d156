/**
 * Recognizes keys that were not made by a random generator. A key that a person typed, counted up or padded can be
 * guessed, and everything that it encrypted opens. A random key has one of these forms with a chance below 2⁻³².
 */

/** A random key of 32 bytes has about 30 different ones. */
const LEAST_DIFFERENT = 16;
/** A key that is padded repeats one byte at least this often. */
const MOST_OF_ONE_BYTE = 10;

/** Returns how the key is not random, as the end of a sentence: `that is text, not random`. `undefined` if it may be. */
export function weaknessOf(key: Uint8Array): string | undefined {
  if (isText(key)) return 'that is text, not random';
  if (different(key) < LEAST_DIFFERENT) return `with fewer than ${LEAST_DIFFERENT} different bytes, not random`;
  const steps = stepsOf(key);
  if (different(steps) < LEAST_DIFFERENT || different(stepsOf(steps)) < LEAST_DIFFERENT)
    return 'that is a sequence, not random';
  if (isRepeated(key)) return 'that repeats its first half, not random';
  if (mostOfOne(key) >= MOST_OF_ONE_BYTE) return 'that is padded, not random';
  return undefined;
}

/** A passphrase, hex digits, base64: of any alphabet. */
function isText(key: Uint8Array): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(key);
    return !/\p{Cc}/u.test(text.replace(/[\t\r\n]/g, ''));
  } catch {
    return false;
  }
}

function different(bytes: Uint8Array): number {
  return new Set(bytes).size;
}

/** The differences of neighbours: those of a sequence are all the same, or a sequence themselves. */
function stepsOf(bytes: Uint8Array): Uint8Array {
  return bytes.slice(1).map((byte, index) => byte - (bytes[index] ?? 0));
}

/** A key of half the size, such as a hash of 128 bits, that was written twice. */
function isRepeated(key: Uint8Array): boolean {
  const half = key.length / 2;
  return key.subarray(half).every((byte, index) => byte === key[index]);
}

function mostOfOne(key: Uint8Array): number {
  const counts = new Map<number, number>();
  for (const byte of key) counts.set(byte, (counts.get(byte) ?? 0) + 1);
  return Math.max(...counts.values());
}
