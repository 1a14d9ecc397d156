/** What a worker believes of a grant: who signed it, for which workflow, and whether that still counts. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { base64url, importJWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { generateGrantKey, type KeySet, type Revocation } from '../../src/grants/grant-keys.js';
import { GrantSigner } from '../../src/grants/grant-signer.js';
import { GrantVerifier } from '../../src/grants/grant-verifier.js';
import type { GrantKind } from '../../src/protocol/grants.js';

const GRANT = { subject: 'ws_acme', namespace: 'agents', workflowIds: ['answer-1'] };
const USE = { namespace: 'agents', workflowId: 'answer-1' };
const NOT_VALID = { type: 'GrantInvalid', message: 'the workspace grant of this workflow is not valid', facts: {} };

type Pair = Awaited<ReturnType<typeof generateGrantKey>>;
let pair: Pair;
let another: Pair;
let verifier: GrantVerifier;

beforeAll(async () => {
  [pair, another] = await Promise.all([generateGrantKey(['workspace', 'operator']), generateGrantKey()]);
  verifier = verifierOf({ keys: [pair.publicKey] });
});

afterEach(() => {
  vi.useRealTimers();
});

const verifierOf = (set: Partial<KeySet>) => new GrantVerifier(JSON.stringify(set));
const signerOf = ({ signingKey }: Pair) => new GrantSigner(JSON.stringify(signingKey));
const signed = (kind: GrantKind = 'workspace', grant: Partial<typeof GRANT> = {}) =>
  signerOf(pair).sign(kind, { ...GRANT, ...grant });

/** A token that the signer would not make. */
async function forged(
  claims: JWTPayload,
  header: { alg?: string; typ?: string; kid?: string } = {},
  by: Pair = pair,
): Promise<string> {
  const { kty, crv, x, d, kid } = by.signingKey;
  return new SignJWT({ sub: 'ws_acme', aud: 'agents', jti: 'a', iat: 1, nbf: 1, workflow_ids: ['answer-1'], ...claims })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'workspace-grant+jwt', kid, ...header })
    .sign(await importJWK({ kty, crv, x, d, alg: 'EdDSA' }));
}

describe('a grant', () => {
  test('says for whom the workflow works', async () => {
    const grant = await verifier.verify('workspace', await signed(), USE);
    expect(grant).toMatchObject({ ...GRANT, grantId: expect.any(String), issuedAt: expect.any(Number) });
  });

  test.each([
    ['its workflow', 'answer-1', true],
    ['a child', 'answer-1/child', true],
    ['a grandchild', 'answer-1/child/grandchild', true],
    ['the run of a schedule', 'answer-1-2026-11-25T03:00:00Z', true],
    ['a child of such a run', 'answer-1-2026-11-25T03:00:00Z/child', true],
    ['a workflow whose name begins the same', 'answer-10', false],
    ['one that only looks like a run', 'answer-1-2026-11-25T03:00:00Zebra', false],
    ['its parent', 'answer', false],
    ['no workflow at all', '', false],
  ])('is good for %s: %s, %s [G3]', async (_, workflowId, isGood) => {
    const verifying = verifier.verify('workspace', await signed(), { ...USE, workflowId });
    if (isGood) return void expect(await verifying).toMatchObject({ subject: 'ws_acme' });
    await expect(verifying).rejects.toMatchObject({
      type: 'GrantInvalid',
      message: 'the workspace grant of this workflow was signed for another workflow or namespace',
    });
  });

  test('of another namespace is one of another workflow [G3]', async () => {
    const verifying = verifier.verify('workspace', await signed(), { ...USE, namespace: 'others' });
    await expect(verifying).rejects.toThrow(
      'the workspace grant of this workflow was signed for another workflow or namespace',
    );
  });

  test('is one for months, since workflows run that long, and no clock is right to the second', async () => {
    const later = verifierOf({ keys: [pair.publicKey] });
    const token = await signed();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 50_000 });
    expect(await later.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
    vi.setSystemTime(Date.now() + 366 * 86_400_000);
    const muchLater = verifierOf({ keys: [pair.publicKey] });
    expect(await muchLater.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
  });
});

describe('refused in the same words, whatever is wrong [G3]', () => {
  const CASES: Readonly<Record<string, () => Promise<string> | string>> = {
    'signed by a key that nobody here knows': () => signerOf(another).sign('workspace', GRANT),
    'signed by such a key, under the name of a known one': () => forged({}, { kid: pair.publicKey.kid }, another),
    'not signed': () => new UnsecuredJWT({ sub: 'ws_acme' }).encode(),
    'signed with the public key as a password': async () => {
      const password = base64url.decode(pair.publicKey.x);
      const jwt = new SignJWT({ sub: 'ws_acme', aud: 'agents', workflow_ids: ['answer-1'] });
      return jwt
        .setProtectedHeader({ alg: 'HS256', typ: 'workspace-grant+jwt', kid: pair.publicKey.kid })
        .sign(password);
    },
    'an operator’s, shown as a workspace’s': () => signed('operator'),
    'without a type': () => forged({}, { typ: undefined }),
    'from the future': () => forged({ nbf: Math.floor(Date.now() / 1_000) + 3_600 }),
    'without a beginning': () => forged({ nbf: undefined }),
    'that ends by itself': () => forged({ exp: Math.floor(Date.now() / 1_000) + 3_600 }),
    'for no workflow': () => forged({ workflow_ids: [] }),
    'for every workflow': () => forged({ workflow_ids: [''] }),
    'for a list of namespaces': () => forged({ aud: ['agents'] }),
    'without a workspace': () => forged({ sub: undefined }),
    'over 8 KiB': () => forged({ padding: 'a'.repeat(8_192) }),
    'in another spelling': async () => `${await signed()}=`,
    'no token at all': () => 'canary-token',
    empty: () => '',
  };

  test.each(Object.entries(CASES))('%s', async (_, token) => {
    await expect(verifier.verify('workspace', await token(), USE)).rejects.toMatchObject(NOT_VALID);
  });

  test('by a key that may not sign for operators [G3]', async () => {
    const workspacesOnly = verifierOf({ keys: [another.publicKey] });
    const token = await signerOf(another).sign('operator', GRANT);
    await expect(workspacesOnly.verify('operator', token, USE)).rejects.toMatchObject({
      type: 'GrantInvalid',
      message: 'the operator grant of this workflow is not valid',
    });
  });
});

describe('a revocation', () => {
  const soon = () => new Date(Date.now() + 60_000).toISOString();
  const CHILD = 'answer-1/child';
  type Case = readonly [revocation: (grantId: string) => Revocation, shownBy: string, isRevoked: boolean];
  const CASES: Readonly<Record<string, Case>> = {
    'of a grant': [(grantId) => ({ grantId }), 'answer-1', true],
    'of another grant': [() => ({ grantId: randomUUID() }), 'answer-1', false],
    'of a workflow': [() => ({ workflowId: 'answer-1' }), 'answer-1', true],
    'of the workflow above it': [() => ({ workflowId: 'answer-1' }), CHILD, true],
    'of a child': [() => ({ workflowId: CHILD }), CHILD, true],
    'of a child, and not of its parent': [() => ({ workflowId: CHILD }), 'answer-1', false],
    'of what was signed for the workspace until now': [
      () => ({ subject: 'ws_acme', issuedBefore: soon() }),
      'answer-1',
      true,
    ],
    'of what was signed for it long ago': [
      () => ({ subject: 'ws_acme', issuedBefore: '2020-01-01T00:00:00Z' }),
      'answer-1',
      false,
    ],
    'of another workspace': [() => ({ subject: 'ws_globex', issuedBefore: soon() }), 'answer-1', false],
  };

  test.each(Object.entries(CASES))('%s', async (_, [revocation, workflowId, isRevoked]) => {
    const token = await signed();
    const { grantId } = await verifier.verify('workspace', token, USE);
    const revoking = verifierOf({ keys: [pair.publicKey], revoked: [revocation(grantId)] });
    const verifying = revoking.verify('workspace', token, { ...USE, workflowId });
    if (!isRevoked) return void expect(await verifying).toMatchObject({ grantId });
    await expect(verifying).rejects.toThrow('the workspace grant of this workflow was revoked');
  });

  test('covers what was signed before it, and not what is signed in the same second after it', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-03-01T12:00:03.412Z') });
    const before = await signed();
    vi.setSystemTime(Date.now() + 1);
    const revocation = { subject: 'ws_acme', issuedBefore: new Date().toISOString() };
    const after = await signed();
    const revoking = verifierOf({ keys: [pair.publicKey], revoked: [revocation] });
    await expect(revoking.verify('workspace', before, USE)).rejects.toThrow('was revoked');
    expect(await revoking.verify('workspace', after, USE)).toMatchObject({ subject: 'ws_acme' });
  });
});

describe('the key set in a file', () => {
  let folder: string;
  const file = () => join(folder, 'keys.json');
  const publish = (set: Partial<KeySet>) => writeFileSync(file(), JSON.stringify(set));

  function fromFile(): GrantVerifier {
    folder = mkdtempSync(join(tmpdir(), 'grant-keys-'));
    publish({ keys: [pair.publicKey] });
    vi.useFakeTimers({ toFake: ['performance'] });
    return new GrantVerifier(file());
  }
  afterEach(() => folder && rmSync(folder, { recursive: true, force: true }));

  test('takes a key that is newer than what was read, at once, and an older one until it is taken away', async () => {
    const live = fromFile();
    const [token, next] = [await signed(), await signerOf(another).sign('workspace', GRANT)];
    expect(await live.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
    vi.advanceTimersByTime(1_000);
    publish({ keys: [another.publicKey, pair.publicKey] });
    expect(await live.verify('workspace', next, USE)).toMatchObject({ subject: 'ws_acme' });
    expect(await live.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
    publish({ keys: [another.publicKey] });
    vi.advanceTimersByTime(10_000);
    await expect(live.verify('workspace', token, USE)).rejects.toMatchObject(NOT_VALID);
  });

  test('counts alone: what a set before it said is not taken for its word', async () => {
    const live = fromFile();
    const [token, next] = [await signed(), await signerOf(another).sign('workspace', GRANT)];
    await live.preflight();
    const late = live.verify('workspace', token, USE);
    publish({ keys: [another.publicKey] });
    vi.advanceTimersByTime(10_000);
    await live.verify('workspace', next, USE);
    await late.catch(() => {});
    await expect(live.verify('workspace', token, USE)).rejects.toMatchObject(NOT_VALID);
  });

  test('has its revocations in force for the grants of its newest key, too', async () => {
    const live = fromFile();
    const next = await signerOf(another).sign('workspace', GRANT);
    await live.preflight();
    vi.advanceTimersByTime(1_000);
    publish({ keys: [another.publicKey], revoked: [{ workflowId: 'answer-1' }] });
    await expect(live.verify('workspace', next, USE)).rejects.toThrow('was revoked');
  });

  test('has a revocation in force within ten seconds [G3]', async () => {
    const live = fromFile();
    const token = await signed();
    await live.verify('workspace', token, USE);
    publish({ keys: [pair.publicKey], revoked: [{ workflowId: 'answer-1' }] });
    vi.advanceTimersByTime(10_000);
    await expect(live.verify('workspace', token, USE)).rejects.toThrow('was revoked');
  });

  test('stays in force where it cannot be read any more, and that is said once', async () => {
    const live = fromFile();
    const token = await signed();
    await live.verify('workspace', token, USE);
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue(undefined);
    try {
      for (const content of ['{"keys":[]}', '{"keys":[]}', '{']) {
        writeFileSync(file(), content);
        vi.advanceTimersByTime(10_000);
        expect(await live.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
      }
      rmSync(file());
      vi.advanceTimersByTime(10_000);
      expect(await live.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
      expect(warned.mock.calls.map(([text]) => text)).toEqual([
        'PROVIDER_GRANT_KEYS is not a JSON Web Key Set of public Ed25519 keys: check keys; the keys that were read last stay in effect',
        'PROVIDER_GRANT_KEYS is not a JSON Web Key Set of public Ed25519 keys: check the document; the keys that were read last stay in effect',
        expect.stringMatching(
          /^PROVIDER_GRANT_KEYS must be .* the path of a readable file; the keys that were read last stay in effect$/,
        ),
      ]);
    } finally {
      warned.mockRestore();
    }
  });

  test('that is not there, or at an address without TLS, is refused at the start [G3]', async () => {
    for (const where of ['/nowhere/keys.json', 'http://keys.example/jwks.json']) {
      await expect(new GrantVerifier(where).preflight()).rejects.toMatchObject({
        type: 'SetupInvalid',
        facts: { fields: ['PROVIDER_GRANT_KEYS'] },
      });
    }
  });
});

describe('the key set at an address', () => {
  afterEach(() => vi.unstubAllGlobals());

  test('is fetched without following a redirect, and its outage is told as one [G3]', async () => {
    const answers = [Response.json({ keys: [pair.publicKey] }), new Response('canary', { status: 503 })];
    const fetching = vi.fn(async (..._: unknown[]) => answers.shift());
    vi.stubGlobal('fetch', fetching);
    const address = 'https://keys.example/jwks.json';
    const live = new GrantVerifier(address);
    expect(await live.verify('workspace', await signed(), USE)).toMatchObject({ subject: 'ws_acme' });
    expect(fetching.mock.calls).toEqual([[address, expect.objectContaining({ redirect: 'error' })]]);
    const away = {
      type: 'KeyServiceUnavailable',
      message: 'the address in PROVIDER_GRANT_KEYS does not answer with a document',
    };
    await expect(new GrantVerifier(address).preflight()).rejects.toMatchObject(away);
    // It may know by now what is unknown here: that is tried again.
    vi.useFakeTimers({ toFake: ['performance'], now: performance.now() + 1_000 });
    vi.advanceTimersByTime(1_000);
    const unknown = await signerOf(another).sign('workspace', GRANT);
    await expect(live.verify('workspace', unknown, USE)).rejects.toMatchObject(away);
    expect(await live.verify('workspace', await signed(), USE)).toMatchObject({ subject: 'ws_acme' });
  });
});

describe('keys that do not fit are refused by the names of their fields alone [G3]', () => {
  const REFUSED: Readonly<Record<string, (pair: Pair) => unknown>> = {
    'a private key where public ones go': ({ signingKey }) => ({ keys: [signingKey] }),
    'two of one name': ({ publicKey }) => ({ keys: [publicKey, publicKey] }),
    'of another curve': ({ publicKey }) => ({ keys: [{ ...publicKey, crv: 'P-256' }] }),
    'a revocation of nothing': ({ publicKey }) => ({ keys: [publicKey], revoked: [{}] }),
  };

  test.each(Object.entries(REFUSED))('%s', (_, set) => {
    const text = JSON.stringify(set(pair));
    const refuse = () => new GrantVerifier(text);
    expect(refuse).toThrow(expect.objectContaining({ type: 'SetupInvalid' }));
    expect(refuse).not.toThrow(pair.signingKey.d);
    expect(refuse).not.toThrow(pair.publicKey.x);
  });

  test('a signing key without its private half, or none', async () => {
    expect(() => new GrantSigner(JSON.stringify(pair.publicKey))).toThrow(
      /is not a private Ed25519 JSON Web Key: check d/,
    );
    await expect(new GrantSigner('').sign('workspace', GRANT)).rejects.toMatchObject({
      type: 'SetupInvalid',
      facts: { fields: ['PROVIDER_GRANT_SIGNING_KEY'] },
    });
  });
});
