/** Which secrets can be looked for in other workspaces' texts: never one that a tenant chose to be met there. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isStrong, isUnguessable, isWeak } from '../../src/redaction/guessable.js';

describe('a secret', () => {
  it('of random characters is looked for everywhere', () => {
    const digests = Array.from({ length: 1_000 }, (_, index) => createHash('sha256').update(`${index}`).digest());
    const share = (write: (digest: Buffer) => string) => digests.filter((each) => isUnguessable(write(each))).length;
    expect(share((digest) => `sk-${digest.toString('base64url')}`)).toBeGreaterThan(980);
    expect(share((digest) => digest.toString('hex').slice(0, 32))).toBeGreaterThan(940);
    expect(share((digest) => `key_${digest.toString('base64url').slice(0, 24)}`)).toBeGreaterThan(850);
    expect(digests.every((digest) => isStrong(digest.toString('base64')))).toBe(true);
    expect(isUnguessable(randomUUID())).toBe(true);
  });

  it.each([
    ['zeros', '0'.repeat(64)],
    ['a short word', 'hunter2'],
    ['a balance', '0x00000000000000000000000000000000000000000000021e19e0c9bab2400000'],
    ['a decimal number', '115792089237316195423570985008687907853269984665640564039457584007913129639935'],
    ['the topic of an event', `0x${createHash('sha256').update('Transfer').digest('hex')}`],
    ['an address in base58', 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA'],
    ['a sentence', "I am sorry, but I can't help with that request at this time."],
    ['words', 'this-is-what-a-model-may-answer-to-anybody'],
    ['a public URL', 'https://api.openai.com/v1/chat/completions?api-version=2026-10-21'],
    ['a field name', 'maxPriorityFeePerGasAndBlobVersionedHashes'],
    ['a timestamp', '2026-11-29T10:00:00.000000Z'],
  ])('that is %s is not looked for in the texts of others', (_, secret) => {
    expect(isUnguessable(secret)).toBe(false);
  });

  it('that is short, or of few different characters, is weak', () => {
    for (const secret of ['short-key-15-ab', '00000000000000000000', 'abcabcabcabcabcabcabc', 'changemechangem'])
      expect(isWeak(secret)).toBe(true);
    expect(isWeak(randomBytes(12).toString('hex'))).toBe(false);
  });
});
