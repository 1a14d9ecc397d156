import { describe, expect, it } from 'vitest';
import { EgressPolicy, parseRefused } from '../../src/egress/policy.js';

const REFUSED = ['203.0.113.0/24', '8.8.8.8', '2606:4700::/32', 'platform.example', 'Ünï.example'];

/** Everything else is allowed. */
const policy = new EgressPolicy({ networks: ['0.0.0.0/0', '::/0', 'loopback'], ports: 'any', refused: REFUSED });

describe('what is refused in addition', () => {
  it.each([
    'https://203.0.113.7/',
    'https://3405803783/',
    'https://0xcb007107/',
    'https://8.8.8.8:8443/',
    'https://[2606:4700::1111]/',
    'https://[::ffff:203.0.113.7]/',
    'https://[64:ff9b::203.0.113.7]/',
    'https://platform.example/',
    'https://PLATFORM.example./',
    'https://api.eu.platform.example/',
    'https://ÜNÏ.example/',
    'https://ünï.example/',
  ])('is refused although its network is allowed: %s [G10]', (url) => {
    expect(policy.refusalOf(new URL(url))).toBe('REFUSED_ADDRESS');
  });

  it.each(['203.0.113.7', '::ffff:203.0.113.7', '::ffff:cb00:7107', '64:ff9b::cb00:7107', '2606:4700::1', '8.8.8.8'])(
    'is refused as an address of a name: %s [G10]',
    async (address) => {
      expect(policy.allows(address)).toBe(false);
      const rebound = new EgressPolicy({
        networks: ['::/0'],
        refused: REFUSED,
        lookUp: async () => ['1.1.1.1', address],
      });
      expect(await rebound.addressesOf('other.example')).toBeUndefined();
    },
  );

  it.each([
    'https://203.0.114.7/',
    'https://notplatform.example/',
    'https://platform.example.org/',
    'https://8.8.4.4/',
  ])('does not reach further: %s is allowed', (url) => {
    expect(policy.refusalOf(new URL(url))).toBeUndefined();
  });

  it('goes before loopback, which is otherwise allowed on any port', () => {
    const without = new EgressPolicy({ networks: ['loopback'], refused: ['127.0.0.0/8'] });
    expect([without.allows('127.0.0.1'), without.allows('::1')]).toEqual([false, true]);
    expect(without.refusalOf(new URL('http://127.0.0.1:1/'))).toBe('REFUSED_ADDRESS');
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0',
    'https://platform.example',
    'platform',
    '*.platform.example',
    'a b.example',
    'x.example:443',
    'user@x.example',
  ])('is not %j, and the error does not repeat it', (text) => {
    expect(() => parseRefused(text)).toThrow(expect.objectContaining({ type: 'SetupInvalid' }));
    expect(() => parseRefused(text)).not.toThrow(text);
  });

  it('is a list, or nothing', () => {
    expect(parseRefused(' 10.0.0.0/8, x.example ,')).toEqual(['10.0.0.0/8', 'x.example']);
    expect(parseRefused('')).toEqual([]);
  });
});
