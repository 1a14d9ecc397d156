import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createPayloadCodec } from '../../src/codec/payload-codec.js';
import { isProviderError } from '../../src/protocol/errors.js';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import { weaknessOf } from '../../src/sealing/weak-keys.js';
import { failureOf, fakeRootKey, openByJose, ROOT_2025, ROOT_2026, shownBy } from './fixtures.js';

const KEY = ROOT_2025.split(':')[1] as string;
const HASH = createHash('sha256').update('a test key').digest();
/** 128 random bits, no byte of which occurs twice. */
const SHORT = Buffer.from([...new Set(HASH)].slice(0, 16));
const bytes = (of: (index: number) => number) => Uint8Array.from({ length: 32 }, (_, index) => of(index));
const CONTEXT = { workspaceId: 'ws_acme', kid: 'data-key-1' };

describe('a root key that is missing or malformed stops the start [G2]', () => {
  test.each<[string, string | undefined, string]>([
    ['not set', undefined, 'is not set: nothing can be sealed without a root key'],
    ['empty', '', 'is not set: nothing can be sealed without a root key'],
    ['blank', ' \n', 'is not set: nothing can be sealed without a root key'],
    ['a key without an id', KEY, 'entry 1 has no id'],
    ['an empty id', `:${KEY}`, 'entry 1 has an id that is not 1 to 32 characters from A-Z a-z 0-9 _ . -'],
    [
      'an id that is too long, such as a key in its place',
      `${KEY}:root`,
      'entry 1 has an id that is not 1 to 32 characters from A-Z a-z 0-9 _ . -',
    ],
    ['an id with a space', `root 1:${KEY}`, 'entry 1 has an id that is not 1 to 32 characters from A-Z a-z 0-9 _ . -'],
    ['an id without a key', 'root:', 'entry 1 has a key of 0 bits, not 256'],
    ['a comma at the end', `${ROOT_2025},`, 'entry 2 is empty'],
    ['a second entry without an id', `${ROOT_2025},${KEY}`, 'entry 2 has no id'],
    [
      'quotes around the value',
      `"${ROOT_2025}"`,
      'entry 1 has an id that is not 1 to 32 characters from A-Z a-z 0-9 _ . -',
    ],
    ['base64 without padding', `root:${KEY.replace('=', '')}`, 'entry 1 has a key that is not base64 with padding'],
    [
      'base64url',
      `root:${Buffer.alloc(32, 0xfb).toString('base64url')}=`,
      'entry 1 has a key that is not base64 with padding',
    ],
    ['bits beyond the last byte', `root:${'A'.repeat(42)}B=`, 'entry 1 has a key that is not base64 with padding'],
    ['hexadecimal', `root:${Buffer.from(KEY, 'base64').toString('hex')}`, 'entry 1 has a key of 384 bits, not 256'],
    ['words', 'root:correct horse battery staple', 'entry 1 has a key that is not base64 with padding'],
    ['a space inside', `root: ${KEY}`, 'entry 1 has a key that is not base64 with padding'],
    ['128 bits', `root:${randomBytes(16).toString('base64')}`, 'entry 1 has a key of 128 bits, not 256'],
    ['264 bits', `root:${randomBytes(33).toString('base64')}`, 'entry 1 has a key of 264 bits, not 256'],
    [
      'an id twice',
      `${ROOT_2025},${fakeRootKey('root-2025', 'another')}`,
      'entry 2 has the same id as an earlier entry',
    ],
    ['a key twice', `${ROOT_2025},other:${KEY}`, 'entry 2 has the same key as an earlier entry, under another id'],
  ])('%s', (_, text, what) => {
    const error = thrownBy(() => parseLocalKeyring(text));
    if (!isProviderError(error, 'SetupInvalid')) throw error;
    expect(error.message).toBe(
      `ENCRYPTION_KEY ${what}. Set it to id:key, or to a list with the active key first (id:key,id:key). ` +
        'The id is a name of your choice, and the key is the output of: openssl rand -base64 32',
    );
    expect(error.facts).toEqual({ fields: ['ENCRYPTION_KEY'] });
    for (const part of (text ?? '').split(/[:,]/).filter((value) => value.length > 8))
      expect(shownBy(error)).not.toContain(part);
  });

  test.each<[string, Uint8Array, string]>([
    ['all zero', Buffer.alloc(32), 'with fewer than 16 different bytes'],
    ['31 zeros and a one', Buffer.concat([Buffer.alloc(31), Buffer.of(1)]), 'with fewer than 16 different bytes'],
    ['one byte repeated', Buffer.alloc(32, 0xa7), 'with fewer than 16 different bytes'],
    ['a word four times', Buffer.from('changeme'.repeat(4)), 'that is text'],
    ['the hex digits of a hash of 128 bits', Buffer.from(HASH.subarray(0, 16).toString('hex')), 'that is text'],
    ['base64 of base64', Buffer.from(HASH.toString('base64').slice(0, 32)), 'that is text'],
    ['a sentence', Buffer.from('correct horse battery staple, OK'), 'that is text'],
    ['a sentence in another alphabet', Buffer.from('правильная лошад!'), 'that is text'],
    ['two lines', Buffer.from('correct horse\nbattery staple,ok\n'), 'that is text'],
    ['a word in UTF-16', Buffer.from('abcdefghijklmnop', 'utf16le'), 'that is padded'],
    ['text in UTF-16', Buffer.from('Sphinx of quartz', 'utf16le'), 'that is padded'],
    ['counted up', bytes((i) => i), 'that is a sequence'],
    ['counted up from another byte', bytes((i) => 240 + i), 'that is a sequence'],
    ['counted down', bytes((i) => 255 - i), 'that is a sequence'],
    ['in steps of seven', bytes((i) => 7 * i + 3), 'that is a sequence'],
    ['squares', bytes((i) => i * i), 'that is a sequence'],
    ['a hash of 128 bits twice', Buffer.concat([SHORT, SHORT]), 'that repeats its first'],
    ['a short key, padded', Buffer.concat([HASH.subarray(0, 20), Buffer.alloc(12)]), 'that is padded'],
    ['a short key, padded in front', Buffer.concat([Buffer.alloc(12, 0xff), HASH.subarray(0, 20)]), 'that is padded'],
  ])('a key that can be guessed: %s', (_, key, what) => {
    for (const [name, parse] of [
      ['ENCRYPTION_KEY', parseLocalKeyring],
      ['PROVIDER_PAYLOAD_KEY', createPayloadCodec],
    ] as const) {
      const text = `${ROOT_2025},root:${Buffer.from(key).toString('base64')}`;
      const error = thrownBy(() => parse(text)) as Error;
      expect(error.message).toContain(`${name} entry 2 has a key ${what}`);
      expect(error.message).toContain('openssl rand -base64 32');
      expect(shownBy(error)).not.toContain(Buffer.from(key).toString('base64'));
    }
  });

  test('but no key of a random generator is refused', () => {
    for (let made = 0; made < 20_000; made += 1) expect(weaknessOf(randomBytes(32))).toBeUndefined();
  });

  test('but whitespace around entries, as a file or a shell leaves it, is accepted', async () => {
    const keyring = parseLocalKeyring(` ${ROOT_2026} , ${ROOT_2025}\n`);
    expect((await keyring.wrap(randomBytes(32), CONTEXT)).rootKeyId).toBe('root-2026');
  });
});

describe('a data key', () => {
  test('is wrapped as a compact JWE under the first root key, with exactly the documented header', async () => {
    const dataKey = randomBytes(32);
    const { wrappedKey, rootKeyId } = await parseLocalKeyring(`${ROOT_2025},${ROOT_2026}`).wrap(dataKey, CONTEXT);
    expect(rootKeyId).toBe('root-2025');
    const opened = await openByJose(wrappedKey, Buffer.from(KEY, 'base64'), 'base64');
    expect(opened).toEqual({
      plaintext: dataKey.toString('base64'),
      protectedHeader: {
        alg: 'dir',
        enc: 'A256GCM',
        typ: 'workspace-data-key+jwe',
        kid: 'root-2025',
        workspace_id: 'ws_acme',
        data_kid: 'data-key-1',
      },
    });
  });

  test('unwraps only in its own context, under any listed root key [G2]', async () => {
    const dataKey = randomBytes(32);
    const wrapped = { kid: CONTEXT.kid, ...(await parseLocalKeyring(ROOT_2025).wrap(dataKey, CONTEXT)) };
    const keyring = parseLocalKeyring(`${ROOT_2026},${ROOT_2025}`);
    expect(Buffer.from(await keyring.unwrap(wrapped, 'ws_acme'))).toEqual(dataKey);
    const refused = [
      keyring.unwrap(wrapped, 'ws_evil'),
      keyring.unwrap({ ...wrapped, kid: 'data-key-2' }, 'ws_acme'),
      keyring.unwrap({ ...wrapped, rootKeyId: 'root-2026' }, 'ws_acme'),
      keyring.unwrap({ ...wrapped, rootKeyId: 'root-lost' }, 'ws_acme'),
      parseLocalKeyring(fakeRootKey('root-2025', 'another')).unwrap(wrapped, 'ws_acme'),
    ];
    for (const failure of await Promise.all(refused.map(failureOf))) {
      expect(failure.type).toBe('CredentialUnreadable');
      expect(failure.message).toMatch(
        /^a data key of ws_(acme|evil) does not unwrap: check that ENCRYPTION_KEY has its root key$/,
      );
    }
  });
});

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
