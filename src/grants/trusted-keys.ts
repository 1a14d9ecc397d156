/** The public keys of a set, and the grants that they were found to have signed: what another set said does not count. */
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Grant, GrantKind } from '../protocol/grants.js';
import { type KeySet, parseKeySet, type Revocation } from './grant-keys.js';
import { GRANT_TYPES } from './grant-signer.js';

/** The clocks of whoever signs and of a worker may differ by this. */
const CLOCK_TOLERANCE = '60 seconds';
const LONGEST_TOKEN = 8_192;
const REMEMBERED = 10_000;

/** base64url has several spellings of the same bytes; here only the one that encoders write counts. */
const COMPACT_JWS =
  /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?(?:\.(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?){2}$/;

const CLAIMS = z.object({
  jti: z.string(),
  sub: z.string(),
  aud: z.string(),
  iat: z.number(),
  workflow_ids: z.array(z.string().min(1)).min(1),
  /** A grant that ended by itself would end where it is remembered, or not. */
  exp: z.never().optional(),
});

export class TrustedKeys {
  readonly revoked: readonly Revocation[];
  readonly #kids: ReadonlySet<string>;
  readonly #keysFor: Readonly<Record<GrantKind, ReturnType<typeof createLocalJWKSet>>>;
  readonly #verified = new LRUCache<string, Grant>({ max: REMEMBERED });

  private constructor({ keys, revoked }: KeySet) {
    const keysFor = (kind: GrantKind) =>
      createLocalJWKSet({ keys: keys.filter(({ grants }) => grants.includes(kind)) });
    this.revoked = revoked;
    this.#kids = new Set(keys.map(({ kid }) => kid));
    this.#keysFor = { workspace: keysFor('workspace'), operator: keysFor('operator') };
  }

  /** @throws ProviderError `ProviderConfigInvalid` where it is no set of public keys */
  static parse(keySet: string): TrustedKeys {
    return new TrustedKeys(parseKeySet(keySet));
  }

  /** `undefined` where none of these keys may sign this, or did not. */
  async verify(kind: GrantKind, token: string): Promise<Grant | undefined> {
    const id = `${kind} ${token}`;
    const grant = this.#verified.get(id) ?? (await this.#check(kind, token));
    if (grant) this.#verified.set(id, grant);
    return grant;
  }

  /** Whether the key that signed it may be one of a newer set. What is no token at all is one of no other key either. */
  isOfUnknownKey(token: string): boolean {
    if (!isToken(token)) return false;
    try {
      const { kid } = decodeProtectedHeader(token);
      return kid !== undefined && !this.#kids.has(kid);
    } catch {
      return false;
    }
  }

  async #check(kind: GrantKind, token: string): Promise<Grant | undefined> {
    if (!isToken(token)) return undefined;
    try {
      const { payload } = await jwtVerify(token, this.#keysFor[kind], {
        algorithms: ['EdDSA'],
        typ: GRANT_TYPES[kind],
        clockTolerance: CLOCK_TOLERANCE,
        requiredClaims: ['nbf'],
      });
      const { jti, sub, aud, iat, workflow_ids } = CLAIMS.parse(payload);
      return { grantId: jti, subject: sub, namespace: aud, workflowIds: workflow_ids, issuedAt: iat };
    } catch {
      return undefined;
    }
  }
}

function isToken(token: string): boolean {
  return token.length <= LONGEST_TOKEN && COMPACT_JWS.test(token);
}
