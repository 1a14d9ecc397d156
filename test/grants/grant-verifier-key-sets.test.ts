/** Where a worker reads the keys of grants from, and what it does while they cannot be read. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createFetch } from '../../src/egress/http-client.js';
import type { KeySet } from '../../src/grants/grant-keys.js';
import { GrantVerifier } from '../../src/grants/grant-verifier.js';
import type { GrantKind } from '../../src/protocol/grants.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { CERTIFICATE, startTlsService } from '../egress/tls-service.js';
import { GRANT, signerOf, USE, useGrantKeys } from './signed-grants.js';

const NOT_VALID = { type: 'GrantInvalid', message: 'the workspace grant of this workflow is not valid', facts: {} };

const keys = useGrantKeys();
afterEach(() => {
  vi.useRealTimers();
});

const signed = (kind: GrantKind = 'workspace', grant: Partial<typeof GRANT> = {}) =>
  signerOf(keys.pair).sign(kind, { ...GRANT, ...grant });

describe('the key set in a file', () => {
  let folder: string;
  const file = () => join(folder, 'keys.json');
  const publish = (set: Partial<KeySet>) => writeFileSync(file(), JSON.stringify(set));

  function fromFile(): GrantVerifier {
    folder = mkdtempSync(join(tmpdir(), 'grant-keys-'));
    publish({ keys: [keys.pair.publicKey] });
    vi.useFakeTimers({ toFake: ['performance'] });
    return new GrantVerifier(file());
  }
  afterEach(() => folder && rmSync(folder, { recursive: true, force: true }));

  test('is read again at once for an unknown key, and a removed key stops working', async () => {
    const live = fromFile();
    const [token, next] = [await signed(), await signerOf(keys.another).sign('workspace', GRANT)];
    expect(await live.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
    vi.advanceTimersByTime(1_000);
    publish({ keys: [keys.another.publicKey, keys.pair.publicKey] });
    expect(await live.verify('workspace', next, USE)).toMatchObject({ subject: 'ws_acme' });
    expect(await live.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
    publish({ keys: [keys.another.publicKey] });
    vi.advanceTimersByTime(10_000);
    await expect(live.verify('workspace', token, USE)).rejects.toMatchObject(NOT_VALID);
  });

  test('replaces the earlier key set, even for a verification that is still running', async () => {
    const live = fromFile();
    const [token, next] = [await signed(), await signerOf(keys.another).sign('workspace', GRANT)];
    await live.preflight();
    const late = live.verify('workspace', token, USE);
    publish({ keys: [keys.another.publicKey] });
    vi.advanceTimersByTime(10_000);
    await live.verify('workspace', next, USE);
    await late.catch(() => {});
    await expect(live.verify('workspace', token, USE)).rejects.toMatchObject(NOT_VALID);
  });

  test('applies its revocations to grants of its newest key as well', async () => {
    const live = fromFile();
    const next = await signerOf(keys.another).sign('workspace', GRANT);
    await live.preflight();
    vi.advanceTimersByTime(1_000);
    publish({ keys: [keys.another.publicKey], revoked: [{ workflowId: 'answer-1' }] });
    await expect(live.verify('workspace', next, USE)).rejects.toThrow('was revoked');
  });

  test('applies a revocation within ten seconds [G3]', async () => {
    const live = fromFile();
    const token = await signed();
    await live.verify('workspace', token, USE);
    publish({ keys: [keys.pair.publicKey], revoked: [{ workflowId: 'answer-1' }] });
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
          /^PROVIDER_GRANT_KEYS names a file that does not exist; it must be .* the path of a file; the keys that were read last stay in effect$/,
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
      response.writeHead(isAway ? 503 : 200).end(isAway ? 'canary' : JSON.stringify({ keys: [keys.pair.publicKey] }));
    });
    const live = new GrantVerifier(address, { fetch: trusting(CERTIFICATE) });
    expect(await live.verify('workspace', await signed(), USE)).toMatchObject({ subject: 'ws_acme' });
    isAway = true;
    await expect(new GrantVerifier(address, { fetch: trusting(CERTIFICATE) }).preflight()).rejects.toMatchObject(away);
    // The service may know an unknown key by now, so the key set is fetched again.
    const unknown = await signerOf(keys.another).sign('workspace', GRANT);
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
    await expect(new GrantVerifier(address, { fetch: trusting(CERTIFICATE) }).preflight()).rejects.toMatchObject(away);
  });

  test('is not read from a server whose certificate nobody signed [G3]', async () => {
    const address = await startTlsService((_, response) =>
      response.end(JSON.stringify({ keys: [keys.pair.publicKey] })),
    );
    await expect(new GrantVerifier(address).preflight()).rejects.toMatchObject(away);
    await expect(new GrantVerifier(address, { fetch: trusting(CERTIFICATE) }).preflight()).resolves.toBeUndefined();
  });
});
