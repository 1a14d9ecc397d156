/** A mask shows at most the last four characters of a secret, and is never stored as the secret itself. */
import { describe, expect, it } from 'vitest';
import { maskSecret, unmask } from '../../src/management/masking.js';

describe('a mask', () => {
  it.each([
    ['the last four characters of a key', 'canary-llm-key-a1b2', '…a1b2'],
    ['nothing of a short key', 'canary', '…'],
    ['the end of the key in the path of a URL', 'https://rpc.example/v2/canary-llm-key-a1b2', '…a1b2'],
    ['the end of the key in the query of a URL', 'https://rpc.example/?key=canary-llm-key-a1b2', '…a1b2'],
    ['nothing of a URL with a short key, however long its host', 'https://rpc.example/v2/abcd', '…'],
    ['nothing of a URL with a password, not even its host', 'https://canary:canary@rpc.example/', '…'],
  ])('shows %s', (_what, value, mask) => {
    expect(maskSecret(value)).toBe(mask);
  });

  it('masks each value of a field with several values', () => {
    const headers = { authorization: 'Bearer canary-token-c3d4', 'x-id': 'canary' };
    expect(maskSecret(headers)).toEqual({ authorization: '…c3d4', 'x-id': '…' });
  });
});

describe('a masked value in an update', () => {
  const stored = 'canary-llm-key-a1b2';
  const given = (value: unknown, of: unknown = stored) => {
    let kept = 0;
    const unmasked = unmask('secret.apiKey', value, of, () => {
      kept += 1;
    });
    return { unmasked, kept };
  };

  it('means unchanged if it is the mask of the stored value', () => {
    expect(given('…a1b2')).toEqual({ unmasked: stored, kept: 1 });
    expect(given({ a: '…a1b2', b: 'new' }, { a: stored })).toEqual({ unmasked: { a: stored, b: 'new' }, kept: 1 });
  });

  it.each([['…b2c3'], ['…'], ['********'], ['[redacted]']])('is refused if it is another mask: %s', (mask) => {
    expect(() => given(mask)).toThrow(expect.objectContaining({ facts: { fields: ['secret.apiKey'] } }));
  });

  it('is refused if nothing is stored, even for the name of a built-in property', () => {
    expect(() => given('…a1b2', null)).toThrow(/looks masked/);
    expect(() => given({ toString: '…' }, {})).toThrow(/looks masked/);
  });

  it('is distinguished from a plaintext value', () => {
    expect(given('canary-other-a1b2')).toEqual({ unmasked: 'canary-other-a1b2', kept: 0 });
  });
});
