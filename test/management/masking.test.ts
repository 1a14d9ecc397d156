/** What stands for a secret shows at most its last four characters, and is never taken for the secret itself. */
import { describe, expect, it } from 'vitest';
import { maskSecret, unmask } from '../../src/management/masking.js';

describe('a mask', () => {
  it.each([
    ['a key', 'canary-key-a1b2', '…a1b2'],
    ['a short key, whole', 'canary', '…'],
    ['a URL, by the key in its path', 'https://rpc.example/v2/canary-key-a1b2', '…a1b2'],
    ['a URL, by the key in its query', 'https://rpc.example/?key=canary-key-a1b2', '…a1b2'],
    ['a URL with a short key, whole, however long its host', 'https://rpc.example/v2/abcd', '…'],
    ['a URL with a password, never by its host', 'https://canary:canary@rpc.example/', '…'],
  ])('stands for %s', (_what, value, mask) => {
    expect(maskSecret(value)).toBe(mask);
  });

  it('stands for each value of a field that has several', () => {
    const headers = { authorization: 'Bearer canary-token-c3d4', 'x-id': 'canary' };
    expect(maskSecret(headers)).toEqual({ authorization: '…c3d4', 'x-id': '…' });
  });
});

describe('a masked value in an update', () => {
  const stored = 'canary-key-a1b2';
  const given = (value: unknown, of: unknown = stored) => {
    let kept = 0;
    const unmasked = unmask('secret.apiKey', value, of, () => {
      kept += 1;
    });
    return { unmasked, kept };
  };

  it('means unchanged, where it is the mask of what is stored', () => {
    expect(given('…a1b2')).toEqual({ unmasked: stored, kept: 1 });
    expect(given({ a: '…a1b2', b: 'new' }, { a: stored })).toEqual({ unmasked: { a: stored, b: 'new' }, kept: 1 });
  });

  it.each([['…b2c3'], ['…'], ['********'], ['[redacted]']])('is refused, where it is another: %s', (mask) => {
    expect(() => given(mask)).toThrow(expect.objectContaining({ facts: { fields: ['secret.apiKey'] } }));
  });

  it('is refused, where nothing is stored, or something stands under a name that objects have anyway', () => {
    expect(() => given('…a1b2', null)).toThrow(/looks masked/);
    expect(() => given({ toString: '…' }, {})).toThrow(/looks masked/);
  });

  it('is told from a value in the clear', () => {
    expect(given('canary-other-a1b2')).toEqual({ unmasked: 'canary-other-a1b2', kept: 0 });
  });
});
