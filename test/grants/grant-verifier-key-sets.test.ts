/** Where a worker reads the keys of grants from, and what it does while they cannot be read. */

import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createFetch } from '../../src/egress/http-client.js';
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
  const publish = (set: object) => writeFileSync(file(), JSON.stringify(set));

  function fromFile(options?: ConstructorParameters<typeof GrantVerifier>[1]): GrantVerifier {
    folder = mkdtempSync(join(tmpdir(), 'grant-keys-'));
    publish({ keys: [keys.pair.publicKey] });
    vi.useFakeTimers({ toFake: ['performance'] });
    return new GrantVerifier(file(), options);
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

  function warnings() {
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue(undefined);
    onTestFinished(() => warned.mockRestore());
    return () => warned.mock.calls.map(([text]) => String(text));
  }

  test('stays in effect if it can no longer be read, and warns of each problem', async () => {
    const live = fromFile();
    const token = await signed();
    await live.verify('workspace', token, USE);
    const warned = warnings();
    for (const content of ['{"keys":[]}', '{"keys":[]}', '{']) {
      writeFileSync(file(), content);
      vi.advanceTimersByTime(10_000);
      expect(await live.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
    }
    rmSync(file());
    vi.advanceTimersByTime(10_000);
    expect(await live.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
    const effect = 'it could not be read since \\S+: the keys that were read last stay in effect$';
    expect(warned()).toEqual([
      expect.stringMatching(`^PROVIDER_GRANT_KEYS is not a JSON Web Key Set .*: check keys; ${effect}`),
      expect.stringMatching(`^PROVIDER_GRANT_KEYS is not a JSON Web Key Set .*: check the document; ${effect}`),
      expect.stringMatching(`^PROVIDER_GRANT_KEYS names a file that does not exist; .* path of a file; ${effect}`),
    ]);
  });

  test('warns again every five minutes while it cannot be read, until it can', async () => {
    const live = fromFile();
    const token = await signed();
    await live.verify('workspace', token, USE);
    const warned = warnings();
    const pass = async (seconds: number) => {
      for (let passed = 0; passed < seconds; passed += 20) {
        vi.advanceTimersByTime(20_000);
        await live.verify('workspace', token, USE);
      }
    };
    rmSync(file());
    await pass(20);
    expect(warned()).toHaveLength(1);
    await pass(280);
    expect(warned()).toHaveLength(1);
    await pass(20);
    expect(warned()).toHaveLength(2);
    publish({ keys: [keys.pair.publicKey] });
    await pass(600);
    expect(warned()).toHaveLength(2);
  });

  test.each<[string, () => void]>([
    ['is gone', () => rmSync(file())],
    ['is no longer valid', () => publish({ keys: [] })],
    ['may be written by others', () => chmodSync(file(), 0o666)],
  ])('is too old after its limit if it %s: no grant is accepted until it can be read [G3]', async (_, lose) => {
    const live = fromFile({ maxAgeMs: 60_000 });
    const token = await signed();
    await live.verify('workspace', token, USE);
    const warned = warnings();
    lose();
    vi.advanceTimersByTime(59_000);
    expect(await live.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
    vi.advanceTimersByTime(2_000);
    // Also between two reads, and for grants that were verified before.
    for (const each of [token, await signed(), token]) {
      await expect(live.verify('workspace', each, USE)).rejects.toMatchObject({
        type: 'KeyServiceUnavailable',
        retryable: true,
        message: expect.stringMatching(
          /^PROVIDER_GRANT_KEYS could not be read since \d{4}-\S+Z, which is longer than PROVIDER_GRANT_KEYS_MAX_AGE: /,
        ),
      });
      vi.advanceTimersByTime(9_000);
    }
    expect(warned().at(-1)).toContain('they are too old, so all grants are refused');
    publish({ keys: [keys.pair.publicKey] });
    chmodSync(file(), 0o644);
    vi.advanceTimersByTime(10_000);
    expect(await live.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
  });

  test('of any age stays in effect while it can be read, and without a limit also while it cannot', async () => {
    const [limited, unlimited] = [fromFile({ maxAgeMs: 60_000 }), new GrantVerifier(file(), { maxAgeMs: 0 })];
    warnings();
    const token = await signed();
    await Promise.all([limited, unlimited].map((each) => each.verify('workspace', token, USE)));
    vi.advanceTimersByTime(86_400_000);
    expect(await limited.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
    rmSync(file());
    vi.advanceTimersByTime(86_400_000);
    expect(await unlimited.verify('workspace', token, USE)).toMatchObject({ subject: 'ws_acme' });
  });

  test('that cannot be read does not refuse a grant of an unknown key for good: a newer set may have the key', async () => {
    const live = fromFile();
    await live.verify('workspace', await signed(), USE);
    writeFileSync(file(), '{');
    vi.advanceTimersByTime(1_000);
    const unknown = await signerOf(keys.another).sign('workspace', GRANT);
    await expect(live.verify('workspace', unknown, USE)).rejects.toMatchObject({
      type: 'KeyServiceUnavailable',
      retryable: true,
    });
  });

  test.each<[string, () => void, RegExp]>([
    ['its group may write', () => chmodSync(file(), 0o664), /others may write/],
    ['all may write', () => chmodSync(file(), 0o646), /others may write/],
    ['lies in a folder in which all may replace it', () => chmodSync(folder, 0o777), /others may replace/],
  ])('is refused if %s [G3]', async (_, open, problem) => {
    const live = fromFile();
    open();
    await expect(live.preflight()).rejects.toMatchObject({
      type: 'SetupInvalid',
      message: expect.stringMatching(problem),
    });
    // A link to it is refused as well: what counts is where it leads.
    const elsewhere = mkdtempSync(join(tmpdir(), 'grant-links-'));
    onTestFinished(() => rmSync(elsewhere, { recursive: true }));
    symlinkSync(file(), join(elsewhere, 'link.json'));
    await expect(new GrantVerifier(join(elsewhere, 'link.json')).preflight()).rejects.toThrow(problem);
  });

  test.each([0o644, 0o600, 0o444])(
    'is read with the mode %o, also in a sticky folder and through a link',
    async (mode) => {
      const live = fromFile();
      chmodSync(file(), mode);
      chmodSync(folder, 0o1777);
      symlinkSync(file(), join(folder, 'link.json'));
      await live.preflight();
      await new GrantVerifier(join(folder, 'link.json')).preflight();
    },
  );

  test('is watched: a change and a new revision are noticed while nobody presents a grant', async () => {
    const live = fromFile();
    vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
    await live.preflight();
    const before = live.revision;
    const changed = vi.fn();
    const end = live.watch(changed);
    publish({ keys: [keys.pair.publicKey], revoked: [{ workflowId: 'answer-1' }] });
    vi.advanceTimersByTime(10_000);
    await vi.waitUntil(() => changed.mock.calls.length > 0);
    expect(live.revision).not.toBe(before);
    end();
    publish({ keys: [keys.pair.publicKey] });
    vi.advanceTimersByTime(60_000);
    expect(vi.getTimerCount()).toBe(0);
    expect(changed).toHaveBeenCalledOnce();
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
