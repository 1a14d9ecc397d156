/**
 * The keys of grants, as JWKs: whoever starts workflows signs with a private one, workers hold public ones alone, as a
 * set that can be read anew. A set has room for several keys, so that one can follow another without a restart, and for
 * what was revoked.
 */
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { z } from 'zod';
import { ProviderError } from '../protocol/errors.js';
import type { GrantKind } from '../protocol/grants.js';
import { parseJson } from '../redaction/parse-json.js';

const KINDS = ['workspace', 'operator'] as const satisfies readonly GrantKind[];

const PUBLIC_KEY = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string().regex(/^[\w-]{43}$/),
  kid: z.string().regex(/^[\w.:-]{1,128}$/),
  alg: z.literal('EdDSA').optional(),
  use: z.literal('sig').optional(),
  /** What the key may sign. Default: grants of workspaces alone. */
  grants: z.array(z.enum(KINDS)).min(1).default(['workspace']),
});

const SIGNING_KEY = PUBLIC_KEY.extend({ d: z.string().regex(/^[\w-]{43}$/) });

/** Each covers the grants that match all of its members. */
const REVOCATION = z.union([
  z.strictObject({ grantId: z.string() }),
  z.strictObject({ workflowId: z.string(), issuedBefore: z.iso.datetime().optional() }),
  z.strictObject({ subject: z.string(), issuedBefore: z.iso.datetime() }),
]);

const KEY_SET = z.strictObject({ keys: z.array(PUBLIC_KEY).min(1), revoked: z.array(REVOCATION).default([]) });

export type SigningKey = z.infer<typeof SIGNING_KEY>;
export type KeySet = z.infer<typeof KEY_SET>;
export type Revocation = z.infer<typeof REVOCATION>;

/** @throws ProviderError `SetupInvalid` naming what does not fit, never its value */
export function parseKeySet(text: string, setting = 'PROVIDER_GRANT_KEYS'): KeySet {
  const set = parse(KEY_SET, text, setting, 'a JSON Web Key Set of public Ed25519 keys');
  const kids = set.keys.map(({ kid }) => kid);
  if (new Set(kids).size === kids.length) return set;
  throw invalid(setting, 'has two keys of one kid');
}

/** @throws ProviderError `SetupInvalid` naming what does not fit, never its value */
export function parseSigningKey(text: string, setting = 'PROVIDER_GRANT_SIGNING_KEY'): SigningKey {
  return parse(SIGNING_KEY, text, setting, 'a private Ed25519 JSON Web Key');
}

/** A new pair. The signing key is a secret; the other is not. */
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
  throw invalid(setting, `is not ${what}: see ${fields.join(', ')}${hint}`);
}

function invalid(setting: string, problem: string): ProviderError {
  return new ProviderError('SetupInvalid', `${setting} ${problem}`, { fields: [setting] });
}
