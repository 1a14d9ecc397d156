/** How a worker verifies a grant: who signed it, for which workflow, and whether it was revoked. */

import { randomUUID } from 'node:crypto';
import { base64url, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { KeySet, Revocation } from '../../src/grants/grant-keys.js';
import { GrantSigner } from '../../src/grants/grant-signer.js';
import { GrantVerifier } from '../../src/grants/grant-verifier.js';
import type { GrantKind } from '../../src/protocol/grants.js';
import { forge, GRANT, type Pair, signerOf, USE, useGrantKeys } from './signed-grants.js';

const NOT_VALID = { type: 'GrantInvalid', message: 'the workspace grant of this workflow is not valid', facts: {} };

const keys = useGrantKeys();
let verifier: GrantVerifier;

beforeAll(() => {
  verifier = verifierOf({ keys: [keys.pair.publicKey] });
});

afterEach(() => {
  vi.useRealTimers();
});

const verifierOf = (set: Partial<KeySet>) => new GrantVerifier(JSON.stringify(set));
const forged = (claims: JWTPayload, header?: Parameters<typeof forge>[2], by: Pair = keys.pair) =>
  forge(by, claims, header);
const signed = (kind: GrantKind = 'workspace', grant: Partial<typeof GRANT> = {}) =>
  signerOf(keys.pair).sign(kind, { ...GRANT, ...grant });

describe('a grant', () => {
  test('names the workspace that the workflow works for', async () => {
    const grant = await verifier.verify('workspace', await signed(), USE);
    expect(grant).toMatchObject({ ...GRANT, grantId: expect.any(String), issuedAt: expect.any(Number) });
  });

  test.each([
    ['its workflow', 'answer-1', true],
    ['a child', 'answer-1/child', true],
    ['a grandchild', 'answer-1/child/grandchild', true],
    ['the run of a schedule', 'answer-1-2026-11-25T03:00:00Z', true],
    ['a child of such a run', 'answer-1-2026-11-25T03:00:00Z/child', true],
    ['a workflow whose id has the same prefix', 'answer-10', false],
    ['an id that only resembles a run', 'answer-1-2026-11-25T03:00:00Zebra', false],
    ['its parent', 'answer', false],
    ['no workflow at all', '', false],
  ])('is valid for %s (%s): %s [G3]', async (_, workflowId, isGood) => {
    const verifying = verifier.verify('workspace', await signed(), { ...USE, workflowId });
    if (isGood) return void expect(await verifying).toMatchObject({ subject: 'ws_acme' });
    await expect(verifying).rejects.toMatchObject({
      type: 'GrantInvalid',
      message: 'the workspace grant of this workflow was signed for another workflow or namespace',
    });
  });

  test('is refused for another namespace as for another workflow [G3]', async () => {
    const verifying = verifier.verify('workspace', await signed(), { ...USE, namespace: 'others' });
    await expect(verifying).rejects.toThrow(
      'the workspace grant of this workflow was signed for another workflow or namespace',
    );
  });

  test('is valid for a year and more, and tolerates clocks that differ by some seconds', async () => {
    const later = verifierOf({ keys: [keys.pair.publicKey] });
    const token = await signed();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 50_000 });
    expect(await later.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
    vi.setSystemTime(Date.now() + 366 * 86_400_000);
    const muchLater = verifierOf({ keys: [keys.pair.publicKey] });
    expect(await muchLater.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
  });
});

describe('an invalid grant is refused with the same error [G3]:', () => {
  const CASES: Readonly<Record<string, () => Promise<string> | string>> = {
    'signed by an unknown key': () => signerOf(keys.another).sign('workspace', GRANT),
    'signed by an unknown key with the id of a known one': () =>
      forged({}, { kid: keys.pair.publicKey.kid }, keys.another),
    'not signed': () => new UnsecuredJWT({ sub: 'ws_acme' }).encode(),
    'signed with the public key as a password': async () => {
      const password = base64url.decode(keys.pair.publicKey.x);
      const jwt = new SignJWT({ sub: 'ws_acme', aud: 'agents', workflow_ids: ['answer-1'] });
      return jwt
        .setProtectedHeader({ alg: 'HS256', typ: 'workspace-grant+jwt', kid: keys.pair.publicKey.kid })
        .sign(password);
    },
    'an operator grant instead of a workspace grant': () => signed('operator'),
    'without a type': () => forged({}, { typ: undefined }),
    'issued in the future': () => forged({ nbf: Math.floor(Date.now() / 1_000) + 3_600 }),
    'dated a minute and more ahead': () => forged({ iat: Math.floor(Date.now() / 1_000) + 62 }),
    'dated in milliseconds': () => forged({ iat: Date.now() }),
    'dated in 2099': () => forged({ iat: 4_070_908_800 }),
    'without a date': () => forged({ iat: undefined }),
    'with an expiry and no date': () => forged({ exp: Math.floor(Date.now() / 1_000) + 3_600, iat: undefined }),
    'with a date that is a text': () => forged({ iat: '2026-11-25' as never }),
    'without a start time': () => forged({ nbf: undefined }),
    'with an expiry that has passed': () => forged({ exp: 1 }),
    'with an expiry': () => forged({ exp: Math.floor(Date.now() / 1_000) + 3_600 }),
    'for no workflow': () => forged({ workflow_ids: [] }),
    'for every workflow': () => forged({ workflow_ids: [''] }),
    'for a list of namespaces': () => forged({ aud: ['agents'] }),
    'without a workspace': () => forged({ sub: undefined }),
    'larger than 8 KiB': () => forged({ padding: 'a'.repeat(8_192) }),
    'with a different encoding': async () => `${await signed()}=`,
    'not a token': () => 'canary-token',
    empty: () => '',
  };

  test.each(Object.entries(CASES))('%s', async (_, token) => {
    await expect(verifier.verify('workspace', await token(), USE)).rejects.toMatchObject(NOT_VALID);
  });

  test('an operator grant by a key that may only sign for workspaces [G3]', async () => {
    const workspacesOnly = verifierOf({ keys: [keys.another.publicKey] });
    const token = await signerOf(keys.another).sign('operator', GRANT);
    await expect(workspacesOnly.verify('operator', token, USE)).rejects.toMatchObject({
      type: 'GrantInvalid',
      message: 'the operator grant of this workflow is not valid',
    });
  });
});

describe('a revocation', () => {
  const soon = () => new Date(Date.now() + 60_000).toISOString();
  const CHILD = 'answer-1/child';
  type Case = readonly [revocation: (grantId: string) => Revocation, workflowId: string, isRevoked: boolean];
  const CASES: Readonly<Record<string, Case>> = {
    'of a grant revokes that grant': [(grantId) => ({ grantId }), 'answer-1', true],
    'of another grant does not': [() => ({ grantId: randomUUID() }), 'answer-1', false],
    'of a workflow revokes its grant': [() => ({ workflowId: 'answer-1' }), 'answer-1', true],
    'of a parent revokes the grant of its child': [() => ({ workflowId: 'answer-1' }), CHILD, true],
    'of a child revokes the grant for that child': [() => ({ workflowId: CHILD }), CHILD, true],
    'of a child does not revoke the grant of its parent': [() => ({ workflowId: CHILD }), 'answer-1', false],
    'of a workspace revokes the grants that were signed before its time': [
      () => ({ subject: 'ws_acme', issuedBefore: soon() }),
      'answer-1',
      true,
    ],
    'of a workspace does not revoke the grants that were signed later': [
      () => ({ subject: 'ws_acme', issuedBefore: '2020-01-01T00:00:00Z' }),
      'answer-1',
      false,
    ],
    'of another workspace does not revoke the grant': [
      () => ({ subject: 'ws_globex', issuedBefore: soon() }),
      'answer-1',
      false,
    ],
  };

  test.each(Object.entries(CASES))('%s', async (_, [revocation, workflowId, isRevoked]) => {
    const token = await signed();
    const { grantId } = await verifier.verify('workspace', token, USE);
    const revoking = verifierOf({ keys: [keys.pair.publicKey], revoked: [revocation(grantId)] });
    const verifying = revoking.verify('workspace', token, { ...USE, workflowId });
    if (!isRevoked) return void expect(await verifying).toMatchObject({ grantId });
    await expect(verifying).rejects.toThrow('the workspace grant of this workflow was revoked');
  });

  test('covers grants signed before it, and not those signed after it in the same second', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-03-01T12:00:03.412Z') });
    const before = await signed();
    vi.setSystemTime(Date.now() + 1);
    const revocation = { subject: 'ws_acme', issuedBefore: new Date().toISOString() };
    const after = await signed();
    const revoking = verifierOf({ keys: [keys.pair.publicKey], revoked: [revocation] });
    await expect(revoking.verify('workspace', before, USE)).rejects.toThrow('was revoked');
    expect(await revoking.verify('workspace', after, USE)).toMatchObject({ subject: 'ws_acme' });
  });
});

describe('an invalid key is refused with only the names of its fields [G3]:', () => {
  const REFUSED: Readonly<Record<string, (pair: Pair) => unknown>> = {
    'a private key in the key set': ({ signingKey }) => ({ keys: [signingKey] }),
    'two keys with one id': ({ publicKey }) => ({ keys: [publicKey, publicKey] }),
    'a key of another curve': ({ publicKey }) => ({ keys: [{ ...publicKey, crv: 'P-256' }] }),
    'an empty revocation': ({ publicKey }) => ({ keys: [publicKey], revoked: [{}] }),
  };

  test.each(Object.entries(REFUSED))('%s', (_, set) => {
    const text = JSON.stringify(set(keys.pair));
    const refuse = () => new GrantVerifier(text);
    expect(refuse).toThrow(expect.objectContaining({ type: 'SetupInvalid' }));
    expect(refuse).not.toThrow(keys.pair.signingKey.d);
    expect(refuse).not.toThrow(keys.pair.publicKey.x);
  });

  test('a missing signing key, or one without its private part', async () => {
    expect(() => new GrantSigner(JSON.stringify(keys.pair.publicKey))).toThrow(
      /is not a private Ed25519 JSON Web Key: check d/,
    );
    for (const unset of ['', '  ', undefined]) {
      expect(() => new GrantSigner(unset)).toThrow(
        expect.objectContaining({ type: 'SetupInvalid', facts: { fields: ['PROVIDER_GRANT_SIGNING_KEY'] } }),
      );
    }
  });
});
