/**
 * 100,000 altered rows are refused with the same error, so an attacker learns nothing from how a row fails. Half are
 * altered without the key. The other half are forged with it, so that the tag cannot hide a missing check.
 * `sealer-altered.test.ts` tests all alterations of a single place.
 */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import type { WrappedDataKey } from '../../src/store/ports.js';
import { ACME, CANARY } from './fixtures.js';
import { forgeRaw, row } from './forging.js';

const ROWS = 100_000;
/** The number of rows that are opened at the same time. */
const BATCH = 500;
const TIMEOUT_MS = 120_000;

/** The input of a reader: the stored text and the data keys of the workspace. */
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

/** The stored text with any part of it replaced by any text: cut, extended, replaced, or with bits changed. */
const spliced = fc
  .tuple(position, fc.oneof(fc.nat(3), position), fc.oneof(junk, fc.constant('')))
  .map(
    ([at, length, put]): Row => ({ what: 'spliced', sealed: row.jwe.slice(0, at) + put + row.jwe.slice(at + length) }),
  );

/** Several bits flipped in the bytes of one part. The row stays well-formed, so the tag must detect it. */
const flipped = fc
  .tuple(fc.constantFrom(0, 2, 3, 4), fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 8 }))
  .map(([part, bits]): Row => {
    const parts = row.jwe.split('.');
    const bytes = Buffer.from(parts[part] as string, 'base64url');
    for (const [at, bit] of bits) bytes[at % bytes.length]! ^= 1 << bit;
    return { what: 'flipped', sealed: parts.with(part, bytes.toString('base64url')).join('.') };
  });

/** The parts of this row and of another one, shuffled. Either row itself is intact and would open. */
const otherRow = await row.sealer.seal(ACME, CANARY, other);
const shuffled = fc
  .array(fc.constantFrom(...row.jwe.split('.'), ...otherRow.split('.')), { minLength: 1, maxLength: 7 })
  .filter((parts) => parts.join('.') !== otherRow)
  .map((parts): Row => ({ what: 'shuffled', sealed: parts.join('.') }));

const wrappedAltered = fc.tuple(fc.nat(row.dataKey.wrappedKey.length - 1), junk).map(([at, put]): Row => {
  const { wrappedKey } = row.dataKey;
  const altered = { ...row.dataKey, wrappedKey: wrappedKey.slice(0, at) + put + wrappedKey.slice(at + 1) };
  return { what: 'data key altered', sealed: row.jwe, dataKeys: [altered] };
});

const anyValue = fc.jsonValue({ maxDepth: 1 });
const member = fc.constantFrom(...Object.keys(row.header));
// A holder of the key who seals for another destination is told so: sealer-binding.test.ts.
const comparedFirst = fc.constantFrom(...Object.keys(row.header).filter((name) => name !== 'destination'));
const hostileMember = fc.oneof(
  fc.tuple(fc.constant('alg'), fc.constantFrom('none', 'A256KW', 'PBES2-HS512+A256KW', 'RSA-OAEP', 'ECDH-ES', 'DIR')),
  fc.tuple(fc.constant('enc'), fc.constantFrom('A128GCM', 'A256CBC-HS512', 'a256gcm', 'none')),
  fc.tuple(fc.constantFrom('p2c', 'iter'), fc.constantFrom(2 ** 31, Number.MAX_SAFE_INTEGER, 1e308, -1)),
  fc.tuple(fc.constant('kid'), fc.oneof(fc.constantFrom(other.kid, ''), fc.string(), fc.uuid())),
  fc.tuple(fc.constant('zip'), fc.constantFrom('DEF', 'GZIP')),
  fc.tuple(fc.constant('crit'), fc.constantFrom([], ['exp'], ['kid'], 'kid')),
  fc.tuple(fc.constantFrom('jwk', 'jku', 'x5u', 'x5c', 'epk', 'b64', 'cty'), anyValue),
  fc.tuple(comparedFirst, anyValue),
  fc.tuple(fc.string(), anyValue),
);

/** Sealed with the real data key, under a header with other content or with another spelling of the same content. */
const forged = fc
  .oneof(
    hostileMember.map(([name, value]) => JSON.stringify({ ...row.header, [name]: value })),
    // The same member twice: some readers use the last one, others the first.
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

/** The same name with its first character as a JSON escape. */
function escaped(name: string): string {
  return `\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}`;
}

function isAltered({ sealed, dataKeys }: Row): boolean {
  return sealed !== row.jwe || (dataKeys !== undefined && dataKeys[0]?.wrappedKey !== row.dataKey.wrappedKey);
}

/** Everything that could distinguish two errors, except where they were thrown. */
function seen(outcome: unknown): string {
  if (!(outcome instanceof Error)) return 'it opened';
  const own = Object.getOwnPropertyNames(outcome).filter((name) => name !== 'stack');
  return JSON.stringify([outcome.constructor.name, own.map((name) => [name, outcome[name as keyof Error]])]);
}

const ONE_WAY = seen(await row.sealer.open(ACME, '', [row.dataKey]).catch((error: unknown) => error));

/** What a row says that is intact and was sealed for another destination, by somebody who has the data key. */
const ANOTHER_DESTINATION = seen(
  await row.sealer
    .open({ ...ACME, destination: 'https://another.example' }, row.jwe, [row.dataKey])
    .catch((error: unknown) => error),
);

/** The first row that is not refused with the same error as the others. */
async function odd(rows: readonly Row[]): Promise<object | undefined> {
  const outcomes = await Promise.all(
    rows.map(({ sealed, dataKeys = [row.dataKey, other] }) =>
      row.sealer.open(ACME, sealed, dataKeys).catch((error: unknown) => error),
    ),
  );
  const isExpected = (outcome: unknown, what = '') =>
    seen(outcome) === ONE_WAY || (what.startsWith('forged: ') && seen(outcome) === ANOTHER_DESTINATION);
  const index = outcomes.findIndex((outcome, place) => !isExpected(outcome, rows[place]?.what));
  return index < 0 ? undefined : { ...rows[index], seen: seen(outcomes[index]) };
}

test('the search reports a row that opens, and does not report one that is refused', async () => {
  expect(ONE_WAY).toContain('CredentialUnreadable');
  expect(await odd([{ what: 'altered', sealed: `${row.jwe}A` }])).toBeUndefined();
  expect(await odd([{ what: 'the row itself', sealed: row.jwe }])).toMatchObject({ seen: 'it opened' });
});

test('100,000 altered rows are refused with the same error [G1]', { timeout: TIMEOUT_MS }, async () => {
  const altered = fc.oneof(spliced, flipped, shuffled, wrappedAltered).filter(isAltered);
  const any = fc.oneof(altered, forged);
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // capturing stacks that nobody reads took half of the time
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
