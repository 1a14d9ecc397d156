import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProviderError } from '../../src/protocol/errors.js';
import { importKey } from '../../src/sealing/compact-jwe.js';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import { MAX_PLAINTEXT_BYTES, Sealer } from '../../src/sealing/sealer.js';
import {
  ACME,
  ACME_IDENTITY,
  CANARY,
  failureOf,
  openByJose,
  PLAINTEXT,
  ROOT_2025,
  ROOT_2026,
  sealed,
  shownBy,
  WatchedKeyring,
} from './fixtures.js';

describe('a sealed text', () => {
  test('opens as the same text if it is well-formed', async () => {
    const { sealer, dataKey } = await sealed();
    const text = fc.string({ unit: 'binary', maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(text, async (plaintext) => {
        expect(await sealer.open(ACME, await sealer.seal(ACME, plaintext, dataKey), [dataKey])).toBe(plaintext);
      }),
    );
  });

  test.each([
    ['an empty text', ''],
    ['a byte order mark', '\uFEFF{}'],
    ['control characters', 'a\0b\r\n\u001b[2J'],
    ['64 KiB', 'x'.repeat(MAX_PLAINTEXT_BYTES)],
    ['64 KiB in three-byte characters', '€'.repeat(Math.floor(MAX_PLAINTEXT_BYTES / 3))],
  ])('opens as the same text: %s', async (_, plaintext) => {
    const { sealer, dataKey } = await sealed();
    expect(await sealer.open(ACME, await sealer.seal(ACME, plaintext, dataKey), [dataKey])).toBe(plaintext);
  });

  test('never has the same ciphertext twice [G1]', async () => {
    const { sealer, dataKey } = await sealed();
    const jwes = await Promise.all(Array.from({ length: 100 }, () => sealer.seal(ACME, PLAINTEXT, dataKey)));
    expect(new Set(jwes).size).toBe(100);
  });

  test('is a compact JWE that any JOSE library reads, with exactly the documented header', async () => {
    const { keyring, dataKey, jwe } = await sealed();
    const key = await keyring.unwrap(dataKey, ACME.workspaceId);
    expect(await openByJose(jwe, key)).toEqual({
      plaintext: PLAINTEXT,
      protectedHeader: {
        alg: 'dir',
        enc: 'A256GCM',
        typ: 'workspace-provider+jwe',
        kid: dataKey.kid,
        workspace_id: 'ws_acme',
        provider_type: 'llm',
        provider_name: 'anthropic',
        destination: 'https://api.anthropic.com',
      },
    });
  });

  test('opens with the data key that its header names, among several', async () => {
    const { sealer, dataKey, jwe } = await sealed();
    const others = await Promise.all([1, 2, 3].map(() => sealer.createDataKey(ACME.workspaceId)));
    expect(await sealer.open(ACME, jwe, [...others, dataKey])).toBe(PLAINTEXT);
  });
});

describe('sealing refuses, and never shows,', () => {
  test.each([
    ['a secret over 64 KiB', `${CANARY}${'x'.repeat(MAX_PLAINTEXT_BYTES)}`, 'is over 64 KiB'],
    ['a secret of 10 MB', CANARY.repeat(320_000), 'is over 64 KiB'],
    ['a lone surrogate, which UTF-8 would replace', `${CANARY}\uD800`, 'is not well-formed Unicode'],
  ])('%s', async (_, plaintext, what) => {
    const { sealer, dataKey } = await sealed();
    const failure = await failureOf(sealer.seal(ACME, plaintext, dataKey));
    expect(failure).toMatchObject({
      type: 'ProviderConfigInvalid',
      facts: { provider: ACME_IDENTITY, fields: ['secret'] },
    });
    expect(failure.message).toBe(`the secret of llm/anthropic of ws_acme ${what}`);
    expect(shownBy(failure)).not.toContain(CANARY);
  });

  test.each([
    ['workspaceId', { ...ACME, workspaceId: `${CANARY} ` }],
    ['type', { ...ACME, type: `${CANARY}!` }],
    ['name', { ...ACME, name: `${CANARY}"` }],
  ])('an identity whose %s is invalid', async (field, identity) => {
    const { sealer, dataKey } = await sealed();
    const failure = await failureOf(sealer.seal(identity, PLAINTEXT, dataKey));
    expect(failure).toMatchObject({ type: 'ProviderConfigInvalid', facts: { fields: [field] } });
    expect(shownBy(failure)).not.toContain(CANARY);
  });

  test('a data key for an invalid workspace id', async () => {
    const failure = await failureOf(new Sealer(parseLocalKeyring(ROOT_2025)).createDataKey('ws acme'));
    expect(failure).toMatchObject({ type: 'ProviderConfigInvalid', facts: { fields: ['workspaceId'] } });
  });

  test('any secret under the data key of another workspace', async () => {
    const { sealer, dataKey } = await sealed();
    const failure = await failureOf(sealer.seal({ ...ACME, workspaceId: 'ws_evil' }, PLAINTEXT, dataKey));
    expect(failure.type).toBe('CredentialUnreadable');
    expect(shownBy(failure)).not.toContain(CANARY);
  });
});

describe('root keys', () => {
  test('a data key under a retired root key opens while that key is listed, and new data keys use the active one', async () => {
    const { dataKey, jwe } = await sealed(parseLocalKeyring(ROOT_2025));
    const sealer = new Sealer(parseLocalKeyring(`${ROOT_2026},${ROOT_2025}`));
    expect(dataKey.rootKeyId).toBe('root-2025');
    expect(await sealer.open(ACME, jwe, [dataKey])).toBe(PLAINTEXT);
    expect((await sealer.createDataKey(ACME.workspaceId)).rootKeyId).toBe('root-2026');
  });

  test('a re-wrapped data key opens what it sealed, without the root key that wrapped it first', async () => {
    const { dataKey, jwe } = await sealed(parseLocalKeyring(ROOT_2025));
    const both = new Sealer(parseLocalKeyring(`${ROOT_2026},${ROOT_2025}`));
    const rewrapped = await both.rewrap(ACME.workspaceId, dataKey);
    if (!rewrapped) throw new Error('the data key was not re-wrapped');
    expect(rewrapped).toMatchObject({ kid: dataKey.kid, rootKeyId: 'root-2026' });
    expect(await both.rewrap(ACME.workspaceId, rewrapped), 'already wrapped by the active root key').toBeUndefined();
    const withNewOnly = new Sealer(parseLocalKeyring(ROOT_2026));
    expect(await withNewOnly.open(ACME, jwe, [rewrapped])).toBe(PLAINTEXT);
    expect((await failureOf(withNewOnly.open(ACME, jwe, [dataKey]))).type).toBe('CredentialUnreadable');
    expect((await failureOf(withNewOnly.rewrap(ACME.workspaceId, dataKey))).type).toBe('CredentialUnreadable');
  });

  test('every call fails as retryable if the key service does not answer', async () => {
    const keyring = new WatchedKeyring();
    const { dataKey, jwe } = await sealed(keyring);
    const sealer = new Sealer(keyring);
    keyring.failure = new ProviderError('KeyServiceUnavailable', 'the root-key service does not answer');
    keyring.activeKeyId = 'root-2026';
    const failures = await Promise.all([
      failureOf(sealer.open(ACME, jwe, [dataKey])),
      failureOf(sealer.seal(ACME, PLAINTEXT, dataKey)),
      failureOf(sealer.createDataKey(ACME.workspaceId)),
      failureOf(sealer.rewrap(ACME.workspaceId, dataKey)),
    ]);
    for (const failure of failures) expect(failure).toMatchObject({ type: 'KeyServiceUnavailable', retryable: true });
    expect(failures[0]).toMatchObject({
      message:
        'the root-key service does not answer: the stored credential of llm/anthropic of ws_acme cannot be opened now',
      facts: { provider: ACME_IDENTITY },
    });
  });

  test('any other error of a root keyring becomes CredentialUnreadable, without its message', async () => {
    const keyring = new WatchedKeyring();
    const { dataKey, jwe } = await sealed(keyring);
    keyring.failure = new TypeError(`cannot read ${CANARY}`);
    const failure = await failureOf(new Sealer(keyring).open(ACME, jwe, [dataKey]));
    expect(failure.message).toBe(
      'the stored credential of llm/anthropic of ws_acme does not open: check that ENCRYPTION_KEY has its root key, or configure the provider again',
    );
    expect(shownBy(failure)).not.toContain(CANARY);
  });
});

describe('unwrapped data keys', () => {
  test('are unwrapped once for a thousand opens at once, and not again for a thousand later ones', async () => {
    const keyring = new WatchedKeyring();
    const { dataKey, jwe } = await sealed(keyring);
    const sealer = new Sealer(keyring);
    keyring.unwraps = 0;
    for (let round = 0; round < 2; round += 1) {
      const opened = await Promise.all(Array.from({ length: 1000 }, () => sealer.open(ACME, jwe, [dataKey])));
      expect(new Set(opened)).toEqual(new Set([PLAINTEXT]));
      expect(keyring.unwraps).toBe(1);
    }
  });

  test('are not cached if unwrapping failed: the next call asks again', async () => {
    const keyring = new WatchedKeyring();
    const { dataKey, jwe } = await sealed(keyring);
    const sealer = new Sealer(keyring);
    keyring.failure = new ProviderError('KeyServiceUnavailable', 'the root-key service does not answer');
    await Promise.all([failureOf(sealer.open(ACME, jwe, [dataKey])), failureOf(sealer.open(ACME, jwe, [dataKey]))]);
    delete keyring.failure;
    expect(await sealer.open(ACME, jwe, [dataKey])).toBe(PLAINTEXT);
  });

  test('are kept up to maxDataKeys, and the least recently used is dropped', async () => {
    const keyring = new WatchedKeyring();
    const sealer = new Sealer(keyring, { maxDataKeys: 2 });
    const dataKeys = await Promise.all([0, 1, 2].map(() => sealer.createDataKey(ACME.workspaceId)));
    const jwes = await Promise.all(dataKeys.map((dataKey) => sealer.seal(ACME, PLAINTEXT, dataKey)));
    const unwrapsOf = async (index: number) => {
      keyring.unwraps = 0;
      await sealer.open(ACME, jwes[index] as string, dataKeys);
      return keyring.unwraps;
    };
    expect([await unwrapsOf(1), await unwrapsOf(2), await unwrapsOf(0), await unwrapsOf(2)]).toEqual([0, 0, 1, 0]);
  });

  test.each(['rootKeyId', 'wrappedKey'] as const)('do not open a row with another %s from memory', async (column) => {
    const { sealer, dataKey, jwe } = await sealed();
    const other = await sealer.createDataKey(ACME.workspaceId);
    const altered = { ...dataKey, [column]: column === 'rootKeyId' ? 'root-lost' : other.wrappedKey };
    expect(await sealer.open(ACME, jwe, [dataKey])).toBe(PLAINTEXT);
    expect((await failureOf(sealer.open(ACME, jwe, [altered]))).type).toBe('CredentialUnreadable');
  });

  test('do not open a row from memory if the data keys of its workspace were deleted', async () => {
    const { sealer, dataKey, jwe } = await sealed();
    expect(await sealer.open(ACME, jwe, [dataKey])).toBe(PLAINTEXT);
    expect((await failureOf(sealer.open(ACME, jwe, []))).type).toBe('CredentialUnreadable');
  });

  test('cannot be exported after their import', async () => {
    const key = await importKey(randomBytes(32));
    await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow();
  });

  test('are not shown if a sealer is printed', async () => {
    const { keyring, sealer, dataKey, jwe } = await sealed();
    await sealer.open(ACME, jwe, [dataKey]);
    const key = Buffer.from(await keyring.unwrap(dataKey, ACME.workspaceId));
    const shown = inspect([sealer, keyring], { depth: Number.POSITIVE_INFINITY, showHidden: true });
    for (const secret of [key, Buffer.from(ROOT_2025.split(':')[1] as string, 'base64')])
      for (const encoding of ['hex', 'base64', 'base64url', 'latin1'] as const)
        expect(shown).not.toContain(secret.toString(encoding));
  });
});
