/** A key set as a platform publishes it: with other keys beside those of grants (RFC 7517), and with newer names. */
import { generateKeyPairSync } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { parseKeySet, revisionOf } from '../../src/grants/grant-keys.js';
import { GrantSigner } from '../../src/grants/grant-signer.js';
import { GrantVerifier } from '../../src/grants/grant-verifier.js';
import { forge, GRANT, signerOf, USE, useGrantKeys } from './signed-grants.js';

const keys = useGrantKeys();

const jwk = (type: 'rsa' | 'ec' | 'x25519' | 'ed448') => {
  const made =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : type === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync(type as 'x25519');
  return made.publicKey.export({ format: 'jwk' });
};

/** Verifies a grant of the first pair, and returns what the process was warned of. */
async function acceptedWith(set: object): Promise<readonly string[]> {
  const warned = vi.spyOn(process, 'emitWarning').mockReturnValue(undefined);
  onTestFinished(() => warned.mockRestore());
  const verifier = new GrantVerifier(JSON.stringify(set));
  const token = await signerOf(keys.pair).sign('workspace', GRANT);
  expect(await verifier.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
  return warned.mock.calls.map(([text]) => String(text));
}

describe('what is not for grants is ignored, and named once:', () => {
  test.each<[string, () => object, string]>([
    ['an RSA key', () => ({ ...jwk('rsa'), kid: 'rsa', use: 'sig', alg: 'RS256' }), 'keys.0.kty'],
    ['an EC key', () => ({ ...jwk('ec'), kid: 'ec' }), 'keys.0.kty'],
    ['an X25519 key', () => ({ ...jwk('x25519'), kid: 'x' }), 'keys.0.crv'],
    ['an Ed448 key', () => ({ ...jwk('ed448'), kid: 'e' }), 'keys.0.crv'],
    ['a key of a type that nobody knows', () => ({ kty: 'PQ', kid: 'pq' }), 'keys.0.kty'],
    ['a key for encryption', () => ({ ...keys.another.publicKey, use: 'enc' }), 'keys.0.use'],
    ['a key for other operations', () => ({ ...keys.another.publicKey, key_ops: ['encrypt'] }), 'keys.0.key_ops'],
    ['a key of another algorithm', () => ({ ...keys.another.publicKey, alg: 'ES256' }), 'keys.0.alg'],
    ['a key without an id', () => ({ ...keys.another.publicKey, kid: undefined }), 'keys.0.kid'],
    ['an RSA key with the id of the grants', () => ({ ...jwk('rsa'), kid: keys.pair.publicKey.kid }), 'keys.0.kty'],
  ])('%s', async (_, other, member) => {
    const warned = await acceptedWith({ keys: [other(), keys.pair.publicKey] });
    expect(warned).toEqual([`PROVIDER_GRANT_KEYS has members that are not for grants, and are ignored: ${member}`]);
  });

  test('an unknown member of the set, which may be a misspelt one', async () => {
    const warned = await acceptedWith({ keys: [keys.pair.publicKey], revocations: [], 'canary value!': 1 });
    expect(warned).toEqual([expect.stringMatching(/ignored: revocations, a member$/)]);
  });

  test('but not unknown members of a key, or the right operations', async () => {
    const key = {
      ...keys.pair.publicKey,
      key_ops: ['verify'],
      x5t: 'a',
      'x-platform': 1,
      alg: undefined,
      use: undefined,
    };
    expect(await acceptedWith({ keys: [key] })).toEqual([]);
  });

  test.each<[string, () => object, RegExp]>([
    [
      'a set without a key for grants',
      () => ({ keys: [jwk('rsa')] }),
      /has no key that can verify grants: .* check keys\.0\.kty$/,
    ],
    [
      'a private RSA key',
      () => ({ keys: [{ kty: 'RSA', d: 'canary' }, keys.pair.publicKey] }),
      /keys\.0 is a private key/,
    ],
    ['a secret key', () => ({ keys: [{ kty: 'oct', k: 'canary' }, keys.pair.publicKey] }), /keys\.0 is a private key/],
    [
      'two keys for grants with one id',
      () => ({ keys: [keys.pair.publicKey, { ...keys.another.publicKey, kid: keys.pair.publicKey.kid }] }),
      /same kid/,
    ],
    [
      'a revocation that is not understood',
      () => ({ keys: [keys.pair.publicKey], revoked: [{ audience: 'a' }] }),
      /check revoked\.0/,
    ],
    [
      'a revocation with an unknown member',
      () => ({ keys: [keys.pair.publicKey], revoked: [{ grantId: 'a', until: 'b' }] }),
      /check revoked\.0/,
    ],
    ['keys that are no objects', () => ({ keys: ['canary'] }), /check keys\.0/],
  ])('%s is refused, by names [G3]', (_, set, message) => {
    const refuse = () => parseKeySet(JSON.stringify(set()));
    expect(refuse).toThrow(message);
    expect(refuse).toThrow(
      expect.objectContaining({ type: 'SetupInvalid', message: expect.not.stringContaining('canary') }),
    );
  });
});

describe('the algorithm by its newer name, Ed25519 (RFC 9864), is accepted', () => {
  const verify = async (key: object, alg: string) => {
    const token = await forge(keys.pair, {}, { alg });
    return new GrantVerifier(JSON.stringify({ keys: [key] })).verify('workspace', token, USE);
  };

  test.each(['EdDSA', 'Ed25519', undefined])('with a key whose alg is %s', async (alg) => {
    for (const ofToken of ['EdDSA', 'Ed25519']) {
      expect(await verify({ ...keys.pair.publicKey, alg }, ofToken)).toMatchObject({ subject: 'ws_acme' });
    }
  });

  test('with a signing key that has it', async () => {
    const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
    const key = { ...(await exportJWK(privateKey)), kid: 'k', alg: 'Ed25519', key_ops: ['sign'] };
    const { d, ...publicKey } = key;
    const token = await new GrantSigner(JSON.stringify(key)).sign('workspace', GRANT);
    const verifier = new GrantVerifier(JSON.stringify({ keys: [{ ...publicKey, key_ops: ['verify'] }] }));
    expect(await verifier.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
  });
});

test('the revision depends on what a worker uses, and not on spelling, order or other keys', () => {
  const [one, two] = [keys.pair.publicKey, keys.another.publicKey];
  const revoked = [{ subject: 'ws_acme', issuedBefore: '2026-11-25T03:12:40.318Z' }, { grantId: 'a' }];
  const revision = (set: object) => revisionOf(parseKeySet(JSON.stringify(set)));
  const known = revision({ keys: [one, two], revoked });
  expect(known).toMatch(/^[0-9a-f]{16}$/);
  expect(revision({ revoked: revoked.toReversed(), keys: [two, { kty: 'RSA' }, { ...one, alg: 'Ed25519' }] })).toBe(
    known,
  );
  expect(revision({ keys: [one], revoked })).not.toBe(known);
  expect(revision({ keys: [one, two], revoked: revoked.slice(1) })).not.toBe(known);
  expect(revision({ keys: [one, { ...two, grants: ['operator'] }], revoked })).not.toBe(known);
});
