import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isProviderError } from '../../src/protocol/errors.js';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import { failureOf, fakeRootKey, openByJose, ROOT_2025, ROOT_2026, shownBy } from './fixtures.js';

const KEY = ROOT_2025.split(':')[1] as string;
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
    [
      'bits beyond the last byte',
      `root:${KEY.replace('8=', '9=')}`,
      'entry 1 has a key that is not base64 with padding',
    ],
    ['hexadecimal', `root:${Buffer.from(KEY, 'base64').toString('hex')}`, 'entry 1 has a key of 384 bits, not 256'],
    ['words', 'root:correct horse battery staple', 'entry 1 has a key that is not base64 with padding'],
    ['a space inside', `root: ${KEY}`, 'entry 1 has a key that is not base64 with padding'],
    ['128 bits', `root:${randomBytes(16).toString('base64')}`, 'entry 1 has a key of 128 bits, not 256'],
    ['264 bits', `root:${randomBytes(33).toString('base64')}`, 'entry 1 has a key of 264 bits, not 256'],
    [
      'all zero',
      `root:${Buffer.alloc(32).toString('base64')}`,
      'entry 1 has a key that is one repeated byte, not random',
    ],
    [
      'one byte repeated',
      `root:${Buffer.alloc(32, 'a').toString('base64')}`,
      'entry 1 has a key that is one repeated byte, not random',
    ],
    ['an id twice', `${ROOT_2025},${fakeRootKey('root-2025', 50)}`, 'entry 2 has the same id as an earlier entry'],
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
      parseLocalKeyring(fakeRootKey('root-2025', 7)).unwrap(wrapped, 'ws_acme'),
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
