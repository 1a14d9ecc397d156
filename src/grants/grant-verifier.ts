/**
 * What a worker believes of a grant: that one of its public keys signed it, for this namespace, for this workflow, and
 * that it was not revoked. A grant does not expire, since workflows run for weeks and are reset; it is revoked.
 */
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { ProviderError } from '../protocol/errors.js';
import { coversWorkflow, type Grant, type GrantKind } from '../protocol/grants.js';
import { type KeySet, parseKeySet, type Revocation } from './grant-keys.js';
import { GRANT_TYPES } from './grant-signer.js';
import { KeySource } from './key-source.js';

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

/** Where a grant is shown. */
export interface GrantUse {
  readonly namespace: string;
  readonly workflowId: string;
}

export class GrantVerifier {
  readonly #keys: KeySource<KeySet>;
  /** By the set that verified them: what another set said does not count. */
  readonly #verified = new WeakMap<KeySet, LRUCache<string, Grant>>();

  /**
   * @param keySet - a JSON Web Key Set of public Ed25519 keys: the document, or the path of a file, or an `https:`
   *   address; the latter two are read anew every ten seconds, while grants are shown
   */
  constructor(keySet: string) {
    this.#keys = new KeySource(keySet, 'PROVIDER_GRANT_KEYS', parseKeySet);
  }

  /** @throws ProviderError `ProviderConfigInvalid`, `KeyServiceUnavailable` where the keys cannot be read */
  async preflight(): Promise<void> {
    await this.#keys.current();
  }

  /** @throws ProviderError `GrantInvalid`; what is said of a token that no key of ours signed is always the same */
  async verify(kind: GrantKind, token: string | undefined, { namespace, workflowId }: GrantUse): Promise<Grant> {
    if (token === undefined) throw refused(NONE[kind]);
    const { grant, revoked } = await this.#check(kind, token);
    if (grant.namespace !== namespace || !coversWorkflow(grant, workflowId)) {
      throw refused(`the ${kind} grant of this workflow was made for another one`);
    }
    if (revoked.some((revocation) => isCovered(grant, workflowId, revocation))) {
      throw refused(`the ${kind} grant of this workflow was revoked`);
    }
    return grant;
  }

  /** The grant, and what the set that verified it revokes. */
  async #check(kind: GrantKind, token: string): Promise<{ grant: Grant; revoked: readonly Revocation[] }> {
    const known = await this.#keys.current();
    const grant = await this.#verifiedBy(known, kind, token);
    if (grant) return { grant, revoked: known.revoked };
    // The key may be newer than what was read.
    const newer = hasKeyOf(token, known) ? known : await this.#keys.newer();
    const late = newer === known ? undefined : await this.#verifiedBy(newer, kind, token);
    if (!late) throw refused(`the ${kind} grant of this workflow is not valid`);
    return { grant: late, revoked: newer.revoked };
  }

  async #verifiedBy(keys: KeySet, kind: GrantKind, token: string): Promise<Grant | undefined> {
    const verified = this.#verified.get(keys) ?? new LRUCache<string, Grant>({ max: REMEMBERED });
    this.#verified.set(keys, verified);
    const id = `${kind} ${token}`;
    const grant = verified.get(id) ?? (await checked(kind, token, keys));
    if (grant) verified.set(id, grant);
    return grant;
  }
}

/** What is no grant at all is one of no other key either. */
function hasKeyOf(token: string, { keys }: KeySet): boolean {
  if (token.length > LONGEST_TOKEN || !COMPACT_JWS.test(token)) return true;
  try {
    const { kid } = decodeProtectedHeader(token);
    return kid === undefined || keys.some((key) => key.kid === kid);
  } catch {
    return true;
  }
}

async function checked(kind: GrantKind, token: string, { keys }: KeySet): Promise<Grant | undefined> {
  if (token.length > LONGEST_TOKEN || !COMPACT_JWS.test(token)) return undefined;
  const allowed = keys.filter(({ grants }) => grants.includes(kind));
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: allowed }), {
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

function isCovered(grant: Grant, workflowId: string, revocation: Revocation): boolean {
  if ('grantId' in revocation) return grant.grantId === revocation.grantId;
  const { issuedBefore } = revocation;
  if (issuedBefore !== undefined && grant.issuedAt * 1_000 >= Date.parse(issuedBefore)) return false;
  return 'subject' in revocation
    ? grant.subject === revocation.subject
    : coversWorkflow({ workflowIds: [revocation.workflowId] }, workflowId);
}

const NONE: Readonly<Record<GrantKind, string>> = {
  workspace:
    'this workflow carries no workspace grant: start it with a client of WorkspaceGrants, and bundle workflows with the plugin',
  operator: 'this workflow carries no operator grant: rotations and schedules are started with one',
};

function refused(message: string): ProviderError {
  return new ProviderError('GrantInvalid', message);
}
