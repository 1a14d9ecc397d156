/**
 * The keys of grants, as JWKs. A service that starts workflows signs with a private key. Workers have only public keys,
 * in a set that can be read again. A set can have several keys, so that one can replace another without a restart, and
 * it lists the revocations.
 */

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ProviderError } from '../protocol/errors.js';
import type { GrantKind } from '../protocol/grants.js';
import { parseJson } from '../redaction/parse-json.js';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from '../vendor/jose.js';

const KINDS = ['workspace', 'operator'] as const satisfies readonly GrantKind[];

/** The algorithm's two names: RFC 8037, and RFC 9864, which deprecates the first. In keys and in tokens. */
export const ALGORITHMS = ['EdDSA', 'Ed25519'] as const;

const KEY = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string().regex(/^[\w-]{43}$/),
  kid: z.string().regex(/^[\w.:-]{1,128}$/),
  alg: z.enum(ALGORITHMS).optional(),
  use: z.literal('sig').optional(),
  /** What the key may sign. Default: only grants of workspaces. */
  grants: z.array(z.enum(KINDS)).min(1).default(['workspace']),
});

const PUBLIC_KEY = KEY.extend({
  key_ops: z
    .array(z.string())
    .refine((uses) => uses.includes('verify'))
    .optional(),
});

const SIGNING_KEY = KEY.extend({ d: z.string().regex(/^[\w-]{43}$/) });

/** A revocation covers the grants that match all of its members. One that is not understood is refused, never ignored. */
const REVOCATION = z.union([
  z.strictObject({ grantId: z.string() }),
  z.strictObject({ workflowId: z.string(), issuedBefore: z.iso.datetime().optional() }),
  z.strictObject({ subject: z.string(), issuedBefore: z.iso.datetime() }),
]);

/** Keys of other uses may be beside ours, as RFC 7517 has it: a platform has one set for all that it signs. */
const KEY_SET = z.object({
  keys: z.array(z.record(z.string(), z.unknown())).min(1),
  revoked: z.array(REVOCATION).default([]),
});

export type SigningKey = z.infer<typeof SIGNING_KEY>;
export type PublicKey = z.infer<typeof PUBLIC_KEY>;
export type Revocation = z.infer<typeof REVOCATION>;

export interface KeySet {
  /** The keys that can verify grants. */
  readonly keys: readonly PublicKey[];
  readonly revoked: readonly Revocation[];
  /** The names of members of the document that are not used: `keys.1.kty`. */
  readonly ignored: readonly string[];
}

/** @throws ProviderError `SetupInvalid` if the text is not valid; the message names fields and never shows a value */
export function parseKeySet(text: string, setting = 'PROVIDER_GRANT_KEYS'): KeySet {
  const document = parseJson(text);
  const set = parse(KEY_SET, document, setting, 'a JSON Web Key Set of public Ed25519 keys');
  const secret = set.keys.findIndex((key) => 'd' in key || (key.kty === 'oct' && 'k' in key));
  if (secret >= 0) {
    throw invalid(setting, `must have only public keys: keys.${secret} is a private key, which workers must not have`);
  }
  const tried = set.keys.map((key) => PUBLIC_KEY.safeParse(key));
  const keys = tried.flatMap(({ data }) => (data ? [data] : []));
  const unused = tried.flatMap(({ error }, index) => (error ? [`keys.${index}.${fieldsOf(error)[0]}`] : []));
  if (keys.length === 0) {
    const rule = 'it needs a public Ed25519 key with kty OKP, crv Ed25519, x and kid';
    throw invalid(setting, `has no key that can verify grants: ${rule}; check ${unused.slice(0, 5).join(', ')}`);
  }
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) throw invalid(setting, 'has two keys with the same kid');
  return { keys, revoked: set.revoked, ignored: [...unused, ...unknownMembers(document)] };
}

/** A digest of what a worker uses of a key set, which does not depend on spelling and order. */
export function revisionOf({ keys, revoked }: Pick<KeySet, 'keys' | 'revoked'>): string {
  const parts = [
    ...keys.map(({ kid, x, grants }) => JSON.stringify(['key', kid, x, grants.toSorted()])),
    ...revoked.map((revocation) => JSON.stringify(['revoked', Object.entries(revocation).toSorted()])),
  ];
  return createHash('sha256').update(parts.toSorted().join('\n')).digest('hex').slice(0, 16);
}

/** Names only: a name of any length or spelling could be something else that was pasted. */
function unknownMembers(document: unknown): readonly string[] {
  const names = Object.keys(document as object).filter((name) => name !== 'keys' && name !== 'revoked');
  return names.map((name) => (/^\w{1,32}$/.test(name) ? name : 'a member'));
}

/** @throws ProviderError `SetupInvalid` if the text is not valid; the message names fields and never shows a value */
export function parseSigningKey(text: string, setting = 'PROVIDER_GRANT_SIGNING_KEY'): SigningKey {
  return parse(SIGNING_KEY, parseJson(text), setting, 'a private Ed25519 JSON Web Key');
}

/** Generates a key pair. The signing key is a secret, and the public key is not. */
export async function generateGrantKey(
  grants: readonly GrantKind[] = ['workspace'],
): Promise<{ readonly signingKey: SigningKey; readonly publicKey: PublicKey }> {
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const { kty, crv, x, d } = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint({ kty, crv, x });
  const publicKey = PUBLIC_KEY.parse({ kty, crv, x, kid, alg: 'EdDSA', use: 'sig', grants });
  return { publicKey, signingKey: SIGNING_KEY.parse({ ...publicKey, d }) };
}

function parse<Value>(schema: z.ZodType<Value>, document: unknown, setting: string, what: string): Value {
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  throw invalid(setting, `is not ${what}: check ${fieldsOf(parsed.error).slice(0, 5).join(', ')}`);
}

function fieldsOf({ issues }: z.ZodError): readonly string[] {
  return [...new Set(issues.map(({ path }) => path.join('.') || 'the document'))];
}

function invalid(setting: string, problem: string): ProviderError {
  return new ProviderError('SetupInvalid', `${setting} ${problem}`, { fields: [setting] });
}
