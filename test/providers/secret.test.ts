import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { isMasked, mask, Secret } from '../../src/providers/secret.js';

const CANARY = 'canary-9f3c-the-secret';
const secret = new Secret(CANARY);

describe('a Secret', () => {
  it.each<[string, () => unknown]>([
    ['String()', () => String(secret)],
    ['a template', () => `${secret}`],
    ['concatenation', () => 'key: '.concat(secret as unknown as string)],
    ['JSON', () => JSON.stringify({ secret })],
    ['inspect', () => inspect({ secret }, { depth: 9, showHidden: true, getters: true })],
    ['console.log, which formats', () => format('%s %o %O %j', secret, secret, secret, secret)],
    ['an error message', () => inspect(new Error(`failed with ${secret}`, { cause: secret }))],
    ['Object.entries', () => inspect(Object.entries(secret))],
    ['a spread', () => inspect({ ...secret })],
  ])('prints nothing of its value through %s', (_how, print) => {
    expect(print()).not.toContain(CANARY);
  });

  it('prints [redacted]', () => {
    expect(`${secret}`).toBe('[redacted]');
    expect(JSON.stringify([secret])).toBe('["[redacted]"]');
    expect(inspect(secret)).toBe('[redacted]');
  });

  it('is not cloned into another thread or a payload', () => {
    expect(() => structuredClone(secret)).toThrow();
    expect(() => structuredClone({ deep: [secret] })).toThrow();
  });

  it('is revealed by name', () => {
    expect(secret.reveal()).toBe(CANARY);
  });
});

describe('mask', () => {
  it.each([
    ['canary-key-a1b2', '…a1b2'],
    ['twelve-chars', '…hars'],
    ['eleven-char', '…'],
    ['abcd', '…'],
    ['', '…'],
  ])('of %j is %j: the last four characters of what can spare them', (value, masked) => {
    expect(mask(value)).toBe(masked);
  });

  it('is recognized where it comes back in place of a secret', () => {
    for (const shown of [mask('canary-key-a1b2'), mask('short'), String(secret), '********', '••••••••']) {
      expect(isMasked(shown)).toBe(true);
    }
    for (const real of [CANARY, 'a*b', 'redacted', '']) expect(isMasked(real)).toBe(false);
  });
});
