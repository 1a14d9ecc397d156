import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EgressPolicy, PUBLIC_EGRESS } from '../../src/egress/policy.js';

/** The main internal ranges of the RFCs, computed without the library that the policy uses. */
function isInside(octets: readonly number[]): boolean {
  const [a = 0, b = 0, c = 0, d = 0] = octets;
  if (a === 0 || a === 10 || a === 127 || a >= 224) return true;
  if (a === 100) return b >= 64 && b < 128;
  if (a === 169) return b === 254;
  if (a === 172) return b >= 16 && b < 32;
  if (a === 192) return b === 168 || (b === 0 && (c === 0 || c === 2)) || (b === 88 && c === 99);
  if (a === 198) return b === 18 || b === 19 || (b === 51 && c === 100);
  if (a === 203) return b === 0 && c === 113;
  return a === 168 && b === 63 && c === 129 && d === 16;
}

/** Public, but refused as well, because ipaddr.js lists the anycast ranges of AS112 and AMT separately. */
const isAnycastService = ([a, b, c]: readonly number[]) =>
  a === 192 && ((b === 31 && c === 196) || (b === 52 && c === 193) || (b === 175 && c === 48));

const octet = fc.nat(255);
// Half of them are near the ranges, because few random addresses would be.
const first = fc.oneof(octet, fc.constantFrom(0, 10, 100, 127, 168, 169, 172, 192, 198, 203, 224));
const second = fc.oneof(octet, fc.constantFrom(0, 16, 18, 31, 51, 63, 64, 88, 127, 168, 254));

it('the policy agrees with the RFCs on random IPv4 addresses, and refuses them inside IPv6', () => {
  fc.assert(
    fc.property(fc.tuple(first, second, octet, octet), (octets) => {
      fc.pre(!isAnycastService(octets));
      const address = octets.join('.');
      expect(PUBLIC_EGRESS.allows(address)).toBe(!isInside(octets));
      for (const prefix of ['::ffff:', '64:ff9b::', '::']) expect(PUBLIC_EGRESS.allows(prefix + address)).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});

it('the policy allows no IPv6 address outside 2000::/3', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }), (groups) => {
      const address = groups.map((group) => group.toString(16)).join(':');
      if ((groups[0] ?? 0) >> 13 !== 1) expect(PUBLIC_EGRESS.allows(address)).toBe(false);
    }),
  );
  expect(PUBLIC_EGRESS.allows('2606:4700::1111')).toBe(true);
});

it('the policy allows only the listed internal networks', () => {
  const policy = new EgressPolicy({ networks: ['10.1.0.0/16', 'fd12::/32'] });
  const allowed = ['10.1.255.255', 'fd12::1', '93.184.216.34'];
  const refused = ['10.2.0.1', 'fd13::1', '127.0.0.1', '::1', '::ffff:10.1.0.1'];
  expect([...allowed, ...refused].filter((address) => policy.allows(address))).toEqual(allowed);
  expect(policy.refusalOf(new URL('https://models.internal/'))).toBeUndefined();
  expect(policy.refusalOf(new URL('http://10.1.0.1/'))).toBe('REFUSED_INSECURE_URL');
});

it.each([
  ['a network without a prefix', { networks: ['10.0.0.0'] }],
  ['a network with too long a prefix', { networks: ['10.0.0.0/33'] }],
  ['a network in short form', { networks: ['10/8'] }],
  ['an unknown word', { networks: ['private'] }],
  ['port 0', { ports: [0] }],
  ['a port with a fraction', { ports: [443.5] }],
])('the policy cannot be created from %s', (_what, options) => {
  expect(() => new EgressPolicy(options)).toThrow(expect.objectContaining({ type: 'SetupInvalid' }));
});

// The name itself is refused. In the corpus, a resolver that does not know the name would refuse it too.
it.each([
  'outside.example.com.',
  'localhost',
  'api.localhost',
  'postgres',
  'db.internal',
  'printer.local',
  'host.localdomain',
  'nas.home.arpa',
])('the policy refuses the name %s before it is looked up', (name) => {
  expect(PUBLIC_EGRESS.refusalOf(new URL(`https://${name}/`))).toBe('REFUSED_ADDRESS');
});
