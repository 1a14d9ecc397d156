/**
 * The keys of grants, as JWKs. A service that starts workflows signs with a private key. Workers have only public keys,
 * in a set that can be read again. A set can have several keys, so that one can replace another without a restart, and
 * it lists the revocations.
 */

import { z } from 'zod';
import { ProviderError } from '../protocol/errors.js';
import type { GrantKind } from '../protocol/grants.js';
import { parseJson } from '../redaction/parse-json.js';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from '../vendor/jose.js';

const KINDS = ['workspace', 'operator'] as const satisfies readonly GrantKind[];

const PUBLIC_KEY = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string().regex(/^[\w-]{43}$/),
  kid: z.string().regex(/^[\w.:-]{1,128}$/),
  alg: z.literal('EdDSA').optional(),
  use: z.literal('sig').optional(),
  /** What the key may sign. Default: only grants of workspaces. */
  grants: z.array(z.enum(KINDS)).min(1).default(['workspace']),
});

const SIGNING_KEY = PUBLIC_KEY.extend({ d: z.string().regex(/^[\w-]{43}$/) });

/** A revocation covers the grants that match all of its members. */
const REVOCATION = z.union([
  z.strictObject({ grantId: z.string() }),
  z.strictObject({ workflowId: z.string(), issuedBefore: z.iso.datetime().optional() }),
  z.strictObject({ subject: z.string(), issuedBefore: z.iso.datetime() }),
]);

const KEY_SET = z.strictObject({ keys: z.array(PUBLIC_KEY).min(1), revoked: z.array(REVOCATION).default([]) });

export type SigningKey = z.infer<typeof SIGNING_KEY>;
export type KeySet = z.infer<typeof KEY_SET>;
export type Revocation = z.infer<typeof REVOCATION>;

/** @throws ProviderError `SetupInvalid` if the text is not valid; the message names fields and never shows a value */
export function parseKeySet(text: string, setting = 'PROVIDER_GRANT_KEYS'): KeySet {
  const set = parse(KEY_SET, text, setting, 'a JSON Web Key Set of public Ed25519 keys');
  const kids = set.keys.map(({ kid }) => kid);
  if (new Set(kids).size === kids.length) return set;
  throw invalid(setting, 'has two keys with the same kid');
}

/** @throws ProviderError `SetupInvalid` if the text is not valid; the message names fields and never shows a value */
export function parseSigningKey(text: string, setting = 'PROVIDER_GRANT_SIGNING_KEY'): SigningKey {
  return parse(SIGNING_KEY, text, setting, 'a private Ed25519 JSON Web Key');
}

/** Generates a key pair. The signing key is a secret, and the public key is not. */
export async function generateGrantKey(
  grants: readonly GrantKind[] = ['workspace'],
): Promise<{ readonly signingKey: SigningKey; readonly publicKey: KeySet['keys'][number] }> {
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const { kty, crv, x, d } = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint({ kty, crv, x });
  const publicKey = PUBLIC_KEY.parse({ kty, crv, x, kid, alg: 'EdDSA', use: 'sig', grants });
  return { publicKey, signingKey: SIGNING_KEY.parse({ ...publicKey, d }) };
}

function parse<Value>(schema: z.ZodType<Value>, text: string, setting: string, what: string): Value {
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const fields = [...new Set(parsed.error.issues.map(({ path }) => path.join('.') || 'the document'))].slice(0, 5);
  const holdsPrivate = parsed.error.issues.some(
    (issue) => issue.code === 'unrecognized_keys' && issue.keys.includes('d'),
  );
  const hint = holdsPrivate ? '; it holds a private key, which workers must not have' : '';
  throw invalid(setting, `is not ${what}: check ${fields.join(', ')}${hint}`);
}

function invalid(setting: string, problem: string): ProviderError {
  return new ProviderError('SetupInvalid', `${setting} ${problem}`, { fields: [setting] });
}
