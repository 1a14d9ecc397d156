/** A valid sealed row, forgeries of it, and the one error that must refuse all of them. */
import { createCipheriv, randomBytes } from 'node:crypto';
import { CompactEncrypt } from 'jose/jwe/compact/encrypt';
import { expect } from 'vitest';
import type { CredentialPlace } from '../../src/sealing/sealer.js';
import { ACME, failureOf, PLAINTEXT, sealed } from './fixtures.js';

const parts = await sealed();

/** A row that opens, with its header and its data key. Forgers have all of these. */
export const row = {
  ...parts,
  key: await parts.keyring.unwrap(parts.dataKey, ACME.workspaceId),
  header: JSON.parse(Buffer.from(parts.jwe.split('.')[0] as string, 'base64url').toString()) as Record<string, string>,
};
expect(await row.sealer.open(ACME, row.jwe, [row.dataKey])).toBe(PLAINTEXT);

export async function expectRefused(jwe: string, place: CredentialPlace = ACME, dataKeys = [row.dataKey]) {
  const failure = await failureOf(row.sealer.open(place, jwe, dataKeys));
  const { workspaceId, type, name } = place;
  expect(failure.message).toBe(
    `the stored credential of ${type}/${name} of ${workspaceId} does not open: check that ENCRYPTION_KEY has its root key, or configure the provider again`,
  );
  expect(failure).toMatchObject({ type: 'CredentialUnreadable', retryable: false });
  expect(failure.facts).toEqual({ provider: { workspaceId, type, name } });
  expect(failure.cause).toBeUndefined();
}

/** Forges a JWE with the real data key, so that only the forged part can be the reason for a refusal. */
export function forge(
  header: Record<string, unknown>,
  key: Uint8Array = row.key,
  plaintext: Uint8Array = Buffer.from('{}'),
) {
  const encrypt = new CompactEncrypt(plaintext).setProtectedHeader(header as { alg: string; enc: string });
  return encrypt.encrypt(key, { crit: { workspace_id: true } });
}

/** Forges a JWE without jose, for headers that jose refuses to write. */
export function forgeRaw(header: string, { ivBytes = 12, tagBytes = 16, key = row.key } = {}) {
  const iv = randomBytes(ivBytes);
  const protectedHeader = Buffer.from(header).toString('base64url');
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes }).setAAD(
    Buffer.from(protectedHeader),
  );
  const ciphertext = Buffer.concat([cipher.update('{}'), cipher.final()]);
  return [protectedHeader, '', ...[iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url'))].join(
    '.',
  );
}

/** Yields the JWE with each bit of each character flipped, and with each replaced by one that is not base64url. */
export function* alterations(jwe: string): Generator<string> {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  for (const [index, character] of [...jwe].entries()) {
    const value = alphabet.indexOf(character);
    const others = value < 0 ? ['A'] : [0, 1, 2, 3, 4, 5].map((bit) => alphabet[value ^ (1 << bit)] as string);
    for (const other of [...others, '+', '=', '\n', '€']) yield jwe.slice(0, index) + other + jwe.slice(index + 1);
  }
}
