/**
 * Why a grant was refused, for the worker's log. The failure in the history says the same for every forged or foreign
 * grant; the operator of the worker may know more.
 */

import { z } from 'zod';
import type { GrantKind } from '../protocol/grants.js';
import { errors } from '../vendor/jose.js';

export type RefusalCause =
  | 'malformed'
  | 'unknown key'
  | 'wrong key'
  | 'wrong signature'
  | 'wrong header'
  | 'wrong claim'
  | 'clock'
  | 'wrong namespace'
  | 'wrong workflow'
  | 'revoked';

export interface GrantRefusal {
  readonly cause: RefusalCause;
  /** Fixed text. */
  readonly message: string;
  /** Ids, names and durations, never the token. */
  readonly facts: Readonly<Record<string, string | number | readonly string[]>>;
  /** When the grant will be accepted if nothing else changes, in milliseconds from now. Absent: never. */
  readonly passesInMs?: number;
}

/** What is known about a token that no key has verified. */
export interface TokenFacts {
  readonly kind: GrantKind;
  readonly keyId: string | undefined;
  /** Whether the key set has the key, for any kind of grant. */
  readonly isKnownKey: boolean;
}

const KEY_ID = /^[\w.:-]{1,128}$/;

export const MALFORMED: GrantRefusal = {
  cause: 'malformed',
  message: 'it is not a JSON Web Token in the compact form, of at most 8,192 characters',
  facts: {},
};

/** @param error - what verifying the token threw */
export function refusalFor(error: unknown, { kind, keyId, isKnownKey }: TokenFacts): GrantRefusal {
  // The header is not verified: only what looks like an id is logged.
  const facts: GrantRefusal['facts'] = keyId !== undefined && KEY_ID.test(keyId) ? { keyId } : {};
  const isAboutKey =
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JWSSignatureVerificationFailed;
  if (isAboutKey && keyId === undefined) return { cause: 'wrong header', message: 'its header has no kid', facts };
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return { cause: 'wrong signature', message: 'its signature does not fit the key that it names', facts };
  }
  if (isAboutKey) {
    return isKnownKey
      ? { cause: 'wrong key', message: `its key may not sign ${kind} grants: see grants in PROVIDER_GRANT_KEYS`, facts }
      : { cause: 'unknown key', message: 'its key is not in PROVIDER_GRANT_KEYS: add the public key', facts };
  }
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
    return { cause: 'wrong header', message: 'its header must have the alg EdDSA or Ed25519', facts };
  }
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'typ') {
    return { cause: 'wrong header', message: `its header must have the typ ${kind}-grant+jwt`, facts };
  }
  if (error instanceof errors.JWTExpired) return wrongClaim(error.claim, facts);
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'nbf' && typeof error.payload.nbf === 'number'
      ? aheadOfClock(error.payload.nbf, facts)
      : wrongClaim(error.claim, facts);
  }
  if (error instanceof z.ZodError) return wrongClaim(String(error.issues[0]?.path[0] ?? ''), facts);
  return { ...MALFORMED, facts };
}

/** How much the clocks of a signer and of a worker may differ. */
export const CLOCK_TOLERANCE_SECONDS = 60;
/** A clock that is further off is not waited for: a grant of next week is a mistake or an attack. */
const LONGEST_WAIT_SECONDS = 10 * 60;

/** @param atSeconds - the time in the grant, in seconds since 1970 */
export function aheadOfClock(atSeconds: number, facts: GrantRefusal['facts']): GrantRefusal {
  const aheadSeconds = atSeconds - Date.now() / 1_000;
  const waitSeconds = aheadSeconds - CLOCK_TOLERANCE_SECONDS;
  const isPassing = waitSeconds <= LONGEST_WAIT_SECONDS;
  return {
    cause: 'clock',
    message:
      'it is dated ahead of the clock of this worker: check the clocks of the signer and of this worker, ' +
      `and that iat and nbf are in seconds${isPassing ? '; the step is tried again until the clock has caught up' : ''}`,
    facts: { ...facts, aheadSeconds: Math.round(aheadSeconds) },
    ...(isPassing && { passesInMs: Math.max(0, waitSeconds * 1_000) }),
  };
}

function wrongClaim(claim: string, facts: GrantRefusal['facts']): GrantRefusal {
  const message =
    claim === 'exp'
      ? 'it has the claim exp: grants do not expire, they are revoked'
      : 'one of its claims is missing or not valid: docs/grants.md lists the claims';
  return { cause: 'wrong claim', message, facts: { ...facts, claim } };
}
