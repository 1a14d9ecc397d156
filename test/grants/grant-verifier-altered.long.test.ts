/** At scale: a worker refuses every altered grant with the same error, and keeps running. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { generateGrantKey } from '../../src/grants/grant-keys.js';
import { GrantSigner } from '../../src/grants/grant-signer.js';
import { GrantVerifier } from '../../src/grants/grant-verifier.js';
import { isProviderError } from '../../src/protocol/errors.js';

const ALTERED = 100_000;
const TIMEOUT_MS = 180_000;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const USE = { namespace: 'agents', workflowId: 'answer-1' };

/** A position, as a share of the token's length. */
const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const at = (token: string, share: number) => Math.floor(share * token.length);

const alterations = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(place, fc.constantFrom(...ALPHABET)).map(([share, letter]) => replaced(share, letter)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(place, fc.string({ unit: 'binary', minLength: 1 }))
      .map(([share, text]) => inserted(share, text)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(place, place).map(
      ([from, to]) =>
        (token: string) =>
          token.slice(at(token, from), at(token, to)),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .shuffledSubarray([0, 1, 2, 0, 1, 2])
      .map((parts) => (token: string) => parts.map((part) => token.split('.')[part]).join('.')),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }).map((text) => () => text) },
  { weight: 1, arbitrary: fc.json().map((json) => (token: string) => withClaims(token, json)) },
);

const replaced = (share: number, letter: string) => (token: string) =>
  token.slice(0, at(token, share)) + letter + token.slice(at(token, share) + 1);
const inserted = (share: number, text: string) => (token: string) =>
  token.slice(0, at(token, share)) + text + token.slice(at(token, share));
const withClaims = (token: string, json: string) =>
  token.split('.').with(1, Buffer.from(json).toString('base64url')).join('.');

test(
  '100,000 altered grants are all refused with the same error [G3]',
  async () => {
    const { signingKey, publicKey } = await generateGrantKey();
    const verifier = new GrantVerifier(JSON.stringify({ keys: [publicKey] }));
    const grant = { subject: 'ws_acme', namespace: 'agents', workflowIds: ['answer-1'] };
    const token = await new GrantSigner(JSON.stringify(signingKey)).sign('workspace', grant);
    expect(await verifier.verify('workspace', token, USE)).toMatchObject(grant);

    const errors = new Set<string>();
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(alterations, async (alter) => {
        const altered = alter(token);
        fc.pre(altered !== token);
        const error: unknown = await verifier.verify('workspace', altered, USE).then(
          () => 'it was accepted',
          (reason: unknown) => reason,
        );
        if (!isProviderError(error)) throw error;
        errors.add(JSON.stringify([error.type, error.message, error.facts, error.cause ?? null]));
        refused += 1;
      }),
      { numRuns: ALTERED },
    );
    expect([...errors]).toEqual([
      JSON.stringify(['GrantInvalid', 'the workspace grant of this workflow is not valid', {}, null]),
    ]);
    expect(refused).toBeGreaterThanOrEqual(ALTERED);
  },
  TIMEOUT_MS,
);
