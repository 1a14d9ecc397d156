/** The public keys of one key set, and the grants that they verified. Another set does not inherit these. */

import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Grant, GrantKind } from '../protocol/grants.js';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from '../vendor/jose.js';
import { ALGORITHMS, type KeySet, parseKeySet, type Revocation, revisionOf } from './grant-keys.js';
import { aheadOfClock, CLOCK_TOLERANCE_SECONDS, type GrantRefusal, MALFORMED, refusalFor } from './grant-refusal.js';
import { GRANT_TYPES } from './grant-signer.js';

const LONGEST_TOKEN = 8_192;
const REMEMBERED = 10_000;

/** base64url has several spellings of the same bytes. Only the one that encoders write is accepted. */
const COMPACT_JWS =
  /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?(?:\.(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?){2}$/;

const CLAIMS = z.object({
  jti: z.string(),
  sub: z.string(),
  aud: z.string(),
  iat: z.number(),
  workflow_ids: z.array(z.string().min(1)).min(1),
  /** Refused: the cache of verified grants would serve a grant after it has expired. */
  exp: z.never().optional(),
});

export class TrustedKeys {
  readonly revoked: readonly Revocation[];
  /** What `workers` and `grants revoke` compare. */
  readonly revision: string;
  readonly #kids: ReadonlySet<string>;
  readonly #keysFor: Readonly<Record<GrantKind, ReturnType<typeof createLocalJWKSet>>>;
  readonly #verified = new LRUCache<string, Grant>({ max: REMEMBERED });

  private constructor({ keys, revoked }: Pick<KeySet, 'keys' | 'revoked'>) {
    // Without the name of the algorithm: a token may use the other one.
    const keysFor = (kind: GrantKind) =>
      createLocalJWKSet({
        keys: keys.filter(({ grants }) => grants.includes(kind)).map(({ kty, crv, x, kid }) => ({ kty, crv, x, kid })),
      });
    this.revoked = revoked;
    this.revision = revisionOf({ keys, revoked });
    this.#kids = new Set(keys.map(({ kid }) => kid));
    this.#keysFor = { workspace: keysFor('workspace'), operator: keysFor('operator') };
  }

  /**
   * @param ignored - called with the names of members of the document that are not used, if there are any
   * @throws ProviderError `SetupInvalid` if the text is not a set of public keys
   */
  static parse(keySet: string, ignored: (names: readonly string[]) => void = () => {}): TrustedKeys {
    const set = parseKeySet(keySet);
    if (set.ignored.length > 0) ignored(set.ignored);
    return new TrustedKeys(set);
  }

  /** Returns a refusal if none of these keys has signed the token, or may sign this kind. */
  async verify(kind: GrantKind, token: string): Promise<Grant | GrantRefusal> {
    const id = `${kind} ${token}`;
    const verified = this.#verified.get(id) ?? (await this.#check(kind, token));
    if (!('cause' in verified)) this.#verified.set(id, verified);
    return verified;
  }

  /** Whether a newer set may have the key that signed the token. False if the text is not a token. */
  isOfUnknownKey(token: string): boolean {
    const kid = isToken(token) ? keyIdOf(token) : undefined;
    return kid !== undefined && !this.#kids.has(kid);
  }

  async #check(kind: GrantKind, token: string): Promise<Grant | GrantRefusal> {
    if (!isToken(token)) return MALFORMED;
    try {
      const { payload } = await jwtVerify(token, this.#keysFor[kind], {
        algorithms: [...ALGORITHMS],
        typ: GRANT_TYPES[kind],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['nbf'],
      });
      const { jti, sub, aud, iat, workflow_ids } = CLAIMS.parse(payload);
      // A later date would escape the revocation of what was signed until now.
      if (iat > Date.now() / 1_000 + CLOCK_TOLERANCE_SECONDS) return aheadOfClock(iat, { grantId: jti });
      return { grantId: jti, subject: sub, namespace: aud, workflowIds: workflow_ids, issuedAt: iat };
    } catch (error) {
      const keyId = keyIdOf(token);
      return refusalFor(error, { kind, keyId, isKnownKey: keyId !== undefined && this.#kids.has(keyId) });
    }
  }
}

function keyIdOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    return undefined;
  }
}

function isToken(token: string): boolean {
  return token.length <= LONGEST_TOKEN && COMPACT_JWS.test(token);
}
