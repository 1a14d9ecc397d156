/** A sealed row opens only in its own place, and the refusal reveals nothing about the reason. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CredentialPlace } from '../../src/sealing/sealer.js';
import { ACME, ACME_IDENTITY, CANARY, failureOf, PLAINTEXT, shownBy } from './fixtures.js';
import { alterations, expectRefused, forge, forgeRaw, row } from './forging.js';

test('a row made by the forging helpers opens if nothing is wrong with it', async () => {
  expect(await row.sealer.open(ACME, await forge(row.header), [row.dataKey])).toBe('{}');
  expect(await row.sealer.open(ACME, forgeRaw(JSON.stringify(row.header)), [row.dataKey])).toBe('{}');
  const otherOrder = Object.fromEntries(Object.entries(row.header).sort());
  expect(await row.sealer.open(ACME, await forge(otherOrder), [row.dataKey])).toBe('{}');
});

test('a refusal shows nothing of the secret, even if the key was right', async () => {
  const failure = await failureOf(row.sealer.open({ ...ACME, name: 'openai' }, row.jwe, [row.dataKey]));
  const notUtf8 = await forge(row.header, row.key, Buffer.concat([Buffer.from(PLAINTEXT), Buffer.from([0xc3, 0x28])]));
  const undecoded = await failureOf(row.sealer.open(ACME, notUtf8, [row.dataKey]));
  for (const error of [failure, undecoded]) expect(shownBy(error)).not.toContain(CANARY);
});

describe('a row pasted elsewhere does not open [G1]', () => {
  test.each<[string, CredentialPlace]>([
    ['another workspace', { ...ACME, workspaceId: 'ws_evil' }],
    ['a workspace that differs in case', { ...ACME, workspaceId: 'WS_acme' }],
    ['another type', { ...ACME, type: 'rpc' }],
    ['another name', { ...ACME, name: 'openai' }],
    ['a type and name that concatenate to the same text', { ...ACME, type: 'll', name: 'manthropic' }],
  ])('%s', async (_, place) => {
    await expectRefused(row.jwe, place);
  });

  test('another workspace with its own data key under the same kid', async () => {
    const theirs = await row.sealer.createDataKey('ws_evil');
    await expectRefused(row.jwe, { ...ACME, workspaceId: 'ws_evil' }, [{ ...theirs, kid: row.dataKey.kid }]);
  });

  test('another workspace, with the data key of this one pasted too', async () => {
    await expectRefused(row.jwe, { ...ACME, workspaceId: 'ws_evil' }, [row.dataKey]);
    const sealedForThem = await forge({ ...row.header, workspace_id: 'ws_evil' });
    await expectRefused(sealedForThem, { ...ACME, workspaceId: 'ws_evil' }, [row.dataKey]);
  });

  test('any two different identities', async () => {
    const identity = fc.record({
      workspaceId: fc.stringMatching(/^[A-Za-z0-9_.:-]{1,12}$/),
      type: fc.stringMatching(/^[a-z][a-z0-9-]{0,5}$/),
      name: fc.stringMatching(/^[a-z0-9_.:-]{1,8}$/),
      destination: fc.constant('https://api.anthropic.com'),
    });
    await fc.assert(
      fc.asyncProperty(identity, identity, async (own, other) => {
        fc.pre(JSON.stringify(own) !== JSON.stringify(other));
        const dataKey = await row.sealer.createDataKey(own.workspaceId);
        const jwe = await row.sealer.seal(own, PLAINTEXT, dataKey);
        expect(await row.sealer.open(own, jwe, [dataKey])).toBe(PLAINTEXT);
        await expectRefused(jwe, other, [dataKey]);
      }),
    );
  });
});

describe('a row whose config has another destination than its secret was sealed for does not open [G11]', () => {
  test.each([
    ['another host', 'https://api.attacker.example'],
    ['http', 'http://api.anthropic.com'],
    ['another path', 'https://api.anthropic.com/mallory'],
    ['another port', 'https://api.anthropic.com:8443'],
    ['a slash at the end', 'https://api.anthropic.com/'],
    ['capitals', 'https://API.anthropic.com'],
    ['a further field', 'https://api.anthropic.com project=proj_1'],
    ['none, as if the secret contained its address', ''],
  ])('%s', async (_, destination) => {
    const failure = await failureOf(row.sealer.open({ ...ACME, destination }, row.jwe, [row.dataKey]));
    expect(failure).toMatchObject({ type: 'CredentialUnreadable', retryable: false });
    expect(failure.facts).toEqual({ provider: ACME_IDENTITY, fields: ['config', 'secret'] });
    expect(failure.message).toBe(
      'the config of llm/anthropic of ws_acme has another destination (base URL, organization, account, project, API version or headers) ' +
        'than its secret was sealed for: configure the provider again, with the secret',
    );
    expect(shownBy(failure)).not.toContain(CANARY);
  });

  test('nor does one whose secret contains its address, for a config that has one', async () => {
    const endpoint = { ...ACME, type: 'rpc', name: 'mainnet', destination: '' };
    const jwe = await row.sealer.seal(endpoint, PLAINTEXT, row.dataKey);
    expect(await row.sealer.open(endpoint, jwe, [row.dataKey])).toBe(PLAINTEXT);
    const opening = row.sealer.open({ ...endpoint, destination: 'https://rpc.attacker.example' }, jwe, [row.dataKey]);
    expect((await failureOf(opening)).facts.fields).toEqual(['config', 'secret']);
  });

  test('a destination that was changed in the header is a forgery like any other', async () => {
    const destination = 'https://api.attacker.example';
    const [, ...rest] = row.jwe.split('.');
    const header = Buffer.from(JSON.stringify({ ...row.header, destination })).toString('base64url');
    const altered = [header, ...rest].join('.');
    await expectRefused(altered, { ...ACME, destination });
    await expectRefused(altered);
  });

  test.each([
    ['a space at the end', 'https://api.anthropic.com '],
    ['two spaces', 'https://api.anthropic.com  project=proj_1'],
    ['a character that JSON escapes', 'https://api.anthropic.com/"'],
    ['a backslash', 'https://api.anthropic.com/\\'],
    ['a line break', 'https://api.anthropic.com\n'],
    ['a character beyond ASCII', 'https://api.anthröpic.com'],
    ['more than 4096 characters', `https://${'a'.repeat(4096)}`],
  ])('no secret is sealed for a destination with %s', async (_, destination) => {
    const failure = await failureOf(row.sealer.seal({ ...ACME, destination }, PLAINTEXT, row.dataKey));
    expect(failure).toMatchObject({ type: 'ProviderConfigInvalid', facts: { provider: ACME_IDENTITY } });
    expect(shownBy(failure)).not.toContain(CANARY);
  });
});

describe('a row whose data key is not the one it names does not open', () => {
  test('without a data key, with another one, or with another one under the same kid', async () => {
    const other = await row.sealer.createDataKey(ACME.workspaceId);
    await expectRefused(row.jwe, ACME, []);
    await expectRefused(row.jwe, ACME, [other]);
    await expectRefused(row.jwe, ACME, [{ ...other, kid: row.dataKey.kid }]);
    await expectRefused(row.jwe, ACME, [{ ...row.dataKey, wrappedKey: other.wrappedKey }]);
  });

  test('sealed under one key and naming the kid of another: only the named key is tried [G1]', async () => {
    const other = await row.sealer.createDataKey(ACME.workspaceId);
    const misnamed = await forge({ ...row.header, kid: other.kid });
    await expectRefused(misnamed, ACME, [row.dataKey, other]);
  });

  test('with a lost root key, or with a wrapped key that was altered in any character or cut', async () => {
    const { wrappedKey } = row.dataKey;
    await expectRefused(row.jwe, ACME, [{ ...row.dataKey, rootKeyId: 'root-lost' }]);
    for (const altered of alterations(wrappedKey))
      await expectRefused(row.jwe, ACME, [{ ...row.dataKey, wrappedKey: altered }]);
    for (let length = 0; length < wrappedKey.length; length += 1)
      await expectRefused(row.jwe, ACME, [{ ...row.dataKey, wrappedKey: wrappedKey.slice(0, length) }]);
    await expectRefused(row.jwe, ACME, [{ ...row.dataKey, wrappedKey: wrappedKey.padEnd(10_000_000, 'A') }]);
  });

  test('with a data key that is not 256 bits, which cannot seal either [G1]', async () => {
    for (const bytes of [0, 16, 24, 33]) {
      const wrapped = await row.keyring.wrap(randomBytes(bytes), {
        workspaceId: ACME.workspaceId,
        kid: row.dataKey.kid,
      });
      const dataKey = { kid: row.dataKey.kid, ...wrapped };
      await expectRefused(row.jwe, ACME, [dataKey]);
      expect((await failureOf(row.sealer.seal(ACME, PLAINTEXT, dataKey))).type).toBe('CredentialUnreadable');
    }
  });
});

describe('a row with any other header does not open, even if its forger has the key [G1]', () => {
  test.each<[string, (header: Record<string, string>) => Record<string, unknown>]>([
    ['another workspace_id', (header) => ({ ...header, workspace_id: 'ws_evil' })],
    ['another provider_type', (header) => ({ ...header, provider_type: 'rpc' })],
    ['another provider_name', (header) => ({ ...header, provider_name: 'openai' })],
    ['another kid', (header) => ({ ...header, kid: 'other' })],
    ['the typ of a data key', (header) => ({ ...header, typ: 'workspace-data-key+jwe' })],
    ['its typ in capitals', (header) => ({ ...header, typ: 'WORKSPACE-PROVIDER+JWE' })],
    ['its typ as a media type', (header) => ({ ...header, typ: 'application/workspace-provider+jwe' })],
    ['compression', (header) => ({ ...header, zip: 'DEF' })],
    ['crit', (header) => ({ ...header, crit: ['workspace_id'] })],
    ['a key', (header) => ({ ...header, jwk: { kty: 'oct', k: 'AAAA' } })],
    ['a key URL', (header) => ({ ...header, jku: 'https://canary.invalid/jwks' })],
    ['cty', (header) => ({ ...header, cty: 'json' })],
    ['an unknown member', (header) => ({ ...header, version: 1 })],
    ['a null member', (header) => ({ ...header, version: null })],
    ['a value that only looks like the right one', (header) => ({ ...header, workspace_id: ['ws_acme'] })],
    [
      'a destination that only looks like the right one',
      (header) => ({ ...header, destination: [header.destination] }),
    ],
    ['a destination without a text', (header) => ({ ...header, destination: { toString: 1 } })],
    ...['typ', 'kid', 'workspace_id', 'provider_type', 'provider_name', 'destination'].map(
      (member): [string, (header: Record<string, string>) => Record<string, unknown>] => [
        `no ${member}`,
        ({ [member]: _, ...header }) => header,
      ],
    ),
  ])('%s', async (_, change) => {
    await expectRefused(await forge(change(row.header)));
  });

  test('__proto__, which JSON.parse makes an ordinary member [G1]', async () => {
    await expectRefused(forgeRaw(JSON.stringify(row.header).replace('{', '{"__proto__":{},')));
  });

  test.each([
    ['A128GCM', 'dir', 16],
    ['A192GCM', 'dir', 24],
    ['A256CBC-HS512', 'dir', 64],
    ['A256GCM', 'A256KW', 32],
    ['A256GCM', 'A256GCMKW', 32],
    ['A256GCM', 'PBES2-HS512+A256KW', 32],
  ])('another algorithm: enc %s, alg %s [G1]', async (enc, alg, keyBytes) => {
    const key = Buffer.concat([row.key, row.key]).subarray(0, keyBytes);
    await expectRefused(await forge({ ...row.header, alg, enc }, key));
  });

  test('a shortened tag or another IV length, with the right key and header [G1]', async () => {
    const header = JSON.stringify(row.header);
    for (const tagBytes of [4, 8, 12, 13, 14, 15]) await expectRefused(forgeRaw(header, { tagBytes }));
    for (const ivBytes of [1, 8, 11, 13, 16, 32]) await expectRefused(forgeRaw(header, { ivBytes }));
  });

  test('a plaintext that is not UTF-8', async () => {
    await expectRefused(await forge(row.header, row.key, Buffer.from([0xc3, 0x28])));
  });
});
