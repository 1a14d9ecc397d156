/** How a worker verifies a grant: who signed it, for which workflow, and whether it was revoked. */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { base64url, importJWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createFetch } from '../../src/egress/http-client.js';
import { generateGrantKey, type KeySet, type Revocation } from '../../src/grants/grant-keys.js';
import { GrantSigner } from '../../src/grants/grant-signer.js';
import { GrantVerifier } from '../../src/grants/grant-verifier.js';
import type { GrantKind } from '../../src/protocol/grants.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { CERTIFICATE, startTlsService } from '../egress/tls-service.js';

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
    const later = verifierOf({ keys: [pair.publicKey] });
    const token = await signed();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 50_000 });
    expect(await later.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
    vi.setSystemTime(Date.now() + 366 * 86_400_000);
    const muchLater = verifierOf({ keys: [pair.publicKey] });
    expect(await muchLater.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
  });
});

describe('an invalid grant is refused with the same error [G3]:', () => {
  const CASES: Readonly<Record<string, () => Promise<string> | string>> = {
    'signed by an unknown key': () => signerOf(another).sign('workspace', GRANT),
    'signed by an unknown key with the id of a known one': () => forged({}, { kid: pair.publicKey.kid }, another),
    'not signed': () => new UnsecuredJWT({ sub: 'ws_acme' }).encode(),
    'signed with the public key as a password': async () => {
      const password = base64url.decode(pair.publicKey.x);
      const jwt = new SignJWT({ sub: 'ws_acme', aud: 'agents', workflow_ids: ['answer-1'] });
      return jwt
        .setProtectedHeader({ alg: 'HS256', typ: 'workspace-grant+jwt', kid: pair.publicKey.kid })
        .sign(password);
    },
    'an operator grant instead of a workspace grant': () => signed('operator'),
    'without a type': () => forged({}, { typ: undefined }),
    'issued in the future': () => forged({ nbf: Math.floor(Date.now() / 1_000) + 3_600 }),
    'without a start time': () => forged({ nbf: undefined }),
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
    const revoking = verifierOf({ keys: [pair.publicKey], revoked: [revocation(grantId)] });
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

  test('is read again at once for an unknown key, and a removed key stops working', async () => {
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

  test('replaces the earlier key set, even for a verification that is still running', async () => {
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

  test('applies its revocations to grants of its newest key as well', async () => {
    const live = fromFile();
    const next = await signerOf(another).sign('workspace', GRANT);
    await live.preflight();
    vi.advanceTimersByTime(1_000);
    publish({ keys: [another.publicKey], revoked: [{ workflowId: 'answer-1' }] });
    await expect(live.verify('workspace', next, USE)).rejects.toThrow('was revoked');
  });

  test('applies a revocation within ten seconds [G3]', async () => {
    const live = fromFile();
    const token = await signed();
    await live.verify('workspace', token, USE);
    publish({ keys: [pair.publicKey], revoked: [{ workflowId: 'answer-1' }] });
    vi.advanceTimersByTime(10_000);
    await expect(live.verify('workspace', token, USE)).rejects.toThrow('was revoked');
  });

  test('stays in effect if it can no longer be read, and warns once', async () => {
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

  test('is refused at the start if it is missing, or if its URL is not https [G3]', async () => {
    for (const where of ['/nowhere/keys.json', 'http://keys.example/jwks.json']) {
      await expect(new GrantVerifier(where).preflight()).rejects.toMatchObject({
        type: 'SetupInvalid',
        facts: { fields: ['PROVIDER_GRANT_KEYS'] },
      });
    }
  });
});

describe('the key set at a URL', () => {
  const away = {
    type: 'KeyServiceUnavailable',
    message: 'the address in PROVIDER_GRANT_KEYS does not answer with a document',
  };

  function trusting(certificate: string) {
    const http = createFetch({ egress: LOOPBACK_POLICY, maxResponseBytes: 1024 * 1024, connect: { ca: certificate } });
    onTestFinished(() => http.close());
    return http.fetch;
  }

  test('is fetched, and an outage is reported as KeyServiceUnavailable [G3]', async () => {
    let isAway = false;
    const address = await startTlsService((_, response) => {
      response.writeHead(isAway ? 503 : 200).end(isAway ? 'canary' : JSON.stringify({ keys: [pair.publicKey] }));
    });
    const live = new GrantVerifier(address, trusting(CERTIFICATE));
    expect(await live.verify('workspace', await signed(), USE)).toMatchObject({ subject: 'ws_acme' });
    isAway = true;
    await expect(new GrantVerifier(address, trusting(CERTIFICATE)).preflight()).rejects.toMatchObject(away);
    // The service may know an unknown key by now, so the key set is fetched again.
    const unknown = await signerOf(another).sign('workspace', GRANT);
    await expect(live.verify('workspace', unknown, USE)).rejects.toMatchObject(away);
    expect(await live.verify('workspace', await signed(), USE)).toMatchObject({ subject: 'ws_acme' });
  });

  test.each<[string, RequestListener]>([
    ['a redirect', (_, response) => response.writeHead(302, { location: 'https://keys.example/' }).end()],
    [
      '3 kB that decode to 3 MB',
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(3_000_000))),
    ],
    ['two encodings', (_, response) => response.writeHead(200, { 'content-encoding': 'gzip, br' }).end()],
  ])('is not read from %s [G3]', async (_, answer) => {
    const address = await startTlsService(answer);
    await expect(new GrantVerifier(address, trusting(CERTIFICATE)).preflight()).rejects.toMatchObject(away);
  });

  test('is not read from a server whose certificate nobody signed [G3]', async () => {
    const address = await startTlsService((_, response) => response.end(JSON.stringify({ keys: [pair.publicKey] })));
    await expect(new GrantVerifier(address).preflight()).rejects.toMatchObject(away);
    await expect(new GrantVerifier(address, trusting(CERTIFICATE)).preflight()).resolves.toBeUndefined();
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
    const text = JSON.stringify(set(pair));
    const refuse = () => new GrantVerifier(text);
    expect(refuse).toThrow(expect.objectContaining({ type: 'SetupInvalid' }));
    expect(refuse).not.toThrow(pair.signingKey.d);
    expect(refuse).not.toThrow(pair.publicKey.x);
  });

  test('a missing signing key, or one without its private part', async () => {
    expect(() => new GrantSigner(JSON.stringify(pair.publicKey))).toThrow(
      /is not a private Ed25519 JSON Web Key: check d/,
    );
    await expect(new GrantSigner('').sign('workspace', GRANT)).rejects.toMatchObject({
      type: 'SetupInvalid',
      facts: { fields: ['PROVIDER_GRANT_SIGNING_KEY'] },
    });
  });
});
