/** What a worker may log about a grant that it refused. */
import type { JWTPayload } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import type { GrantRefusal } from '../../src/grants/grant-refusal.js';
import { GrantVerifier } from '../../src/grants/grant-verifier.js';
import { forge, GRANT, type Pair, signerOf, USE, useGrantKeys } from './signed-grants.js';

const keys = useGrantKeys();
let verifier: GrantVerifier;

beforeAll(() => {
  verifier = new GrantVerifier(JSON.stringify({ keys: [keys.pair.publicKey] }));
});

const forged = (claims: JWTPayload, header?: { kid?: string }, by: Pair = keys.pair) => forge(by, claims, header);
const signed = (change: Partial<typeof GRANT>) => signerOf(keys.pair).sign('workspace', { ...GRANT, ...change });

describe('a refusal tells the log why, and the caller no more than before:', () => {
  const nowSeconds = () => Date.now() / 1_000;
  const REFUSALS: readonly [string, () => Promise<string>, object][] = [
    [
      'a key that the worker does not have',
      () => signerOf(keys.another).sign('workspace', GRANT),
      { cause: 'unknown key' },
    ],
    [
      'a signature of another key',
      () => forged({}, { kid: keys.pair.signingKey.kid }, keys.another),
      { cause: 'wrong signature' },
    ],
    ['no kid', () => forged({}, { kid: undefined }, keys.another), { cause: 'wrong header' }],
    ['the typ of the other kind', () => signerOf(keys.pair).sign('operator', GRANT), { cause: 'wrong header' }],
    ['no nbf', () => forged({ nbf: undefined }), { cause: 'wrong claim', facts: { claim: 'nbf' } }],
    [
      'no workflow_ids',
      () => forged({ workflow_ids: undefined }),
      { cause: 'wrong claim', facts: { claim: 'workflow_ids' } },
    ],
    ['an expiry', () => forged({ exp: 9_999_999_999 }), { cause: 'wrong claim', facts: { claim: 'exp' } }],
    ['an expiry that has passed', () => forged({ exp: 1 }), { cause: 'wrong claim', facts: { claim: 'exp' } }],
    ['an nbf in milliseconds', () => forged({ nbf: Date.now() }), { cause: 'clock' }],
    ['no iat', () => forged({ iat: undefined }), { cause: 'wrong claim', facts: { claim: 'iat' } }],
    ['two namespaces', () => forged({ aud: ['agents'] }), { cause: 'wrong claim', facts: { claim: 'aud' } }],
    ['an nbf that is two minutes ahead', () => forged({ nbf: nowSeconds() + 120 }), { cause: 'clock' }],
    ['an iat that is two minutes ahead', () => forged({ iat: nowSeconds() + 120 }), { cause: 'clock' }],
    ['an iat in milliseconds', () => forged({ iat: Date.now() }), { cause: 'clock' }],
    ['no JSON Web Token', async () => 'canary', { cause: 'malformed', facts: {} }],
    [
      'another namespace',
      () => signed({ namespace: 'others' }),
      { cause: 'wrong namespace', facts: { grantNamespace: 'others' } },
    ],
    [
      'another workflow',
      () => signed({ workflowIds: ['answer-2'] }),
      { cause: 'wrong workflow', facts: { grantWorkflowIds: ['answer-2'] } },
    ],
  ];

  test.each(REFUSALS)('%s', async (_, sign, expected) => {
    const token = await sign();
    const refusals: GrantRefusal[] = [];
    const verifying = verifier.verify('workspace', token, USE, (refusal) => refusals.push(refusal));
    await expect(verifying).rejects.toMatchObject({ type: 'GrantInvalid' });
    expect(refusals).toMatchObject([expected]);
    expect(JSON.stringify(refusals)).not.toContain(token);
  });

  test('the id of the key that is missing, and by how much a clock is ahead', async () => {
    const refusals: GrantRefusal[] = [];
    const note = (refusal: GrantRefusal) => void refusals.push(refusal);
    const tokens = [await signerOf(keys.another).sign('workspace', GRANT), await forged({ nbf: nowSeconds() + 120 })];
    for (const token of tokens) await verifier.verify('workspace', token, USE, note).catch(() => {});
    const [unknown, ahead] = refusals.map(({ facts }) => facts);
    expect(unknown).toEqual({ keyId: keys.another.signingKey.kid });
    expect(ahead?.aheadSeconds).toBeGreaterThanOrEqual(119);
    expect(ahead?.aheadSeconds).toBeLessThanOrEqual(120);
  });

  test.each([
    ['two minutes ahead can be retried within seconds', 120, true],
    ['ten minutes ahead can be retried', 600, true],
    ['an hour ahead is final', 3_600, false],
  ])('a grant that is %s', async (_, aheadSeconds, retryable) => {
    const token = await forged({ nbf: nowSeconds() + aheadSeconds });
    const error = await verifier.verify('workspace', token, USE).catch((thrown) => thrown);
    expect(error).toMatchObject({ message: 'the workspace grant of this workflow is not valid', retryable });
    if (retryable) expect(error.facts.retryAfterMs).toBeLessThanOrEqual(10_000);
  });

  test('but not a key id that is no id', async () => {
    const refusals: GrantRefusal[] = [];
    const token = await forged({}, { kid: 'a line\nand another' }, keys.another);
    await verifier.verify('workspace', token, USE, (refusal) => refusals.push(refusal)).catch(() => {});
    expect(refusals).toMatchObject([{ cause: 'unknown key', facts: {} }]);
    expect(refusals[0]?.facts).toEqual({});
  });
});
