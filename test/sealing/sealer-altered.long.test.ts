/**
 * 100,000 altered rows, each refused in the one way: whoever tries them out learns nothing from how it fails. Half are
 * altered without the key, half by somebody who has it, so that no tag stands in for a check that is missing. What may be
 * altered in one place alone is in `sealer-altered.test.ts`, exhaustively.
 */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import type { WrappedDataKey } from '../../src/store/ports.js';
import { ACME, CANARY } from './fixtures.js';
import { forgeRaw, row } from './forging.js';

const ROWS = 100_000;
/** Opened at the same time. */
const BATCH = 500;
const TIMEOUT_MS = 120_000;

/** What a reader is given: the stored text, and the data keys that stand beside it. */
interface Row {
  readonly what: string;
  readonly sealed: string;
  readonly dataKeys?: readonly WrappedDataKey[];
}

const HEADER = JSON.stringify(row.header);
const BASE64URL = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];
const other = await row.sealer.createDataKey(ACME.workspaceId);

const position = fc.nat(row.jwe.length);
const junk = fc.oneof(
  fc.string({ unit: fc.constantFrom(...BASE64URL), minLength: 1 }),
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.constantFrom('.', '..', '=', '==', '\n', '\0', ' ', '%2e', '\u200b'),
);

/** Any text in place of any stretch of the stored one: cut, extended, replaced, bits changed. */
const spliced = fc
  .tuple(position, fc.oneof(fc.nat(3), position), fc.oneof(junk, fc.constant('')))
  .map(
    ([at, length, put]): Row => ({ what: 'spliced', sealed: row.jwe.slice(0, at) + put + row.jwe.slice(at + length) }),
  );

/** Several bits at once, in bytes of one part: it stays well-formed, so the tag must see it. */
const flipped = fc
  .tuple(fc.constantFrom(0, 2, 3, 4), fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 8 }))
  .map(([part, bits]): Row => {
    const parts = row.jwe.split('.');
    const bytes = Buffer.from(parts[part] as string, 'base64url');
    for (const [at, bit] of bits) bytes[at % bytes.length]! ^= 1 << bit;
    return { what: 'flipped', sealed: parts.with(part, bytes.toString('base64url')).join('.') };
  });

/** The parts of this row and of another one, shuffled. */
const otherParts = (await row.sealer.seal(ACME, CANARY, other)).split('.');
const shuffled = fc
  .array(fc.constantFrom(...row.jwe.split('.'), ...otherParts), { minLength: 1, maxLength: 7 })
  .map((parts): Row => ({ what: 'shuffled', sealed: parts.join('.') }));

const wrappedAltered = fc.tuple(fc.nat(row.dataKey.wrappedKey.length - 1), junk).map(([at, put]): Row => {
  const { wrappedKey } = row.dataKey;
  const altered = { ...row.dataKey, wrappedKey: wrappedKey.slice(0, at) + put + wrappedKey.slice(at + 1) };
  return { what: 'data key altered', sealed: row.jwe, dataKeys: [altered] };
});

const anyValue = fc.jsonValue({ maxDepth: 1 });
const member = fc.constantFrom(...Object.keys(row.header));
const hostileMember = fc.oneof(
  fc.tuple(fc.constant('alg'), fc.constantFrom('none', 'A256KW', 'PBES2-HS512+A256KW', 'RSA-OAEP', 'ECDH-ES', 'DIR')),
  fc.tuple(fc.constant('enc'), fc.constantFrom('A128GCM', 'A256CBC-HS512', 'a256gcm', 'none')),
  fc.tuple(fc.constantFrom('p2c', 'iter'), fc.constantFrom(2 ** 31, Number.MAX_SAFE_INTEGER, 1e308, -1)),
  fc.tuple(fc.constant('kid'), fc.oneof(fc.constantFrom(other.kid, ''), fc.string(), fc.uuid())),
  fc.tuple(fc.constant('zip'), fc.constantFrom('DEF', 'GZIP')),
  fc.tuple(fc.constant('crit'), fc.constantFrom([], ['exp'], ['kid'], 'kid')),
  fc.tuple(fc.constantFrom('jwk', 'jku', 'x5u', 'x5c', 'epk', 'b64', 'cty'), anyValue),
  fc.tuple(member, anyValue),
  fc.tuple(fc.string(), anyValue),
);

/** By somebody who has the data key: an authentic row whose header says something else, or the same otherwise. */
const forged = fc
  .oneof(
    hostileMember.map(([name, value]) => JSON.stringify({ ...row.header, [name]: value })),
    // Twice the same member: the last one counts for some readers, the first one for others.
    hostileMember.map(([name, value]) => HEADER.replace('{', `{${JSON.stringify(name)}:${JSON.stringify(value)},`)),
    member.map((name) => HEADER.replace('{', `{"${name}":${JSON.stringify(row.header[name])},`)),
    fc.nat(HEADER.length).map((at) => `${HEADER.slice(0, at)} ${HEADER.slice(at)}`),
    member.map((name) => HEADER.replace(`"${name}"`, `"${escaped(name)}"`)),
    fc.subarray(Object.entries(row.header)).map((members) => JSON.stringify(Object.fromEntries(members))),
    fc.json({ maxDepth: 1 }),
    fc.string(),
  )
  .filter((header) => header !== HEADER)
  .map((header) => ({ what: `forged: ${header}`, sealed: forgeRaw(header) }));

/** JSON's other way to write the same name. */
function escaped(name: string): string {
  return `\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}`;
}

function isAltered({ sealed, dataKeys }: Row): boolean {
  return sealed !== row.jwe || (dataKeys !== undefined && dataKeys[0]?.wrappedKey !== row.dataKey.wrappedKey);
}

/** Everything about an error by which two could be told apart, beside where it was thrown. */
function seen(outcome: unknown): string {
  if (!(outcome instanceof Error)) return 'it opened';
  const own = Object.getOwnPropertyNames(outcome).filter((name) => name !== 'stack');
  return JSON.stringify([outcome.constructor.name, own.map((name) => [name, outcome[name as keyof Error]])]);
}

const ONE_WAY = seen(await row.sealer.open(ACME, '', [row.dataKey]).catch((error: unknown) => error));

/** The first that is not refused as the others are. */
async function odd(rows: readonly Row[]): Promise<object | undefined> {
  const outcomes = await Promise.all(
    rows.map(({ sealed, dataKeys = [row.dataKey, other] }) =>
      row.sealer.open(ACME, sealed, dataKeys).catch((error: unknown) => error),
    ),
  );
  const index = outcomes.findIndex((outcome) => seen(outcome) !== ONE_WAY);
  return index < 0 ? undefined : { ...rows[index], seen: seen(outcomes[index]) };
}

test('is not odd by itself: what was not altered opens, and is found', async () => {
  expect(ONE_WAY).toContain('CredentialUnreadable');
  expect(await odd([{ what: 'altered', sealed: `${row.jwe}A` }])).toBeUndefined();
  expect(await odd([{ what: 'the row itself', sealed: row.jwe }])).toMatchObject({ seen: 'it opened' });
});

test('100,000 altered rows are refused with one error [G1]', { timeout: TIMEOUT_MS }, async () => {
  const altered = fc.oneof(spliced, flipped, shuffled, wrappedAltered).filter(isAltered);
  const any = fc.oneof(altered, forged);
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // half of the time went into stacks that nobody reads
  onTestFinished(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });
  const seed = randomInt(2 ** 31);
  for (let done = 0; done < ROWS; done += BATCH) {
    const rows = fc.sample(any, { numRuns: BATCH, seed: seed + done });
    expect(rows).toHaveLength(BATCH);
    expect(await odd(rows), `seed ${seed}`).toBeUndefined();
  }
});
