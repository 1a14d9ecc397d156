/**
 * Signs grants. A service that starts workflows signs one for each: a JWT (EdDSA) that is bound to the Temporal
 * namespace and to the workflow's id.
 */
import { randomUUID } from 'node:crypto';
import { ProviderError } from '../protocol/errors.js';
import type { Grant, GrantKind } from '../protocol/grants.js';
import { rememberOwnSecret } from '../redaction/opened-secrets.js';
import { importJWK, SignJWT } from '../vendor/jose.js';
import { parseSigningKey } from './grant-keys.js';
import { KeySource } from './key-source.js';

/** The `typ` in a grant's header, so that one kind is never taken for the other. */
export const GRANT_TYPES = {
  workspace: 'workspace-grant+jwt',
  operator: 'operator-grant+jwt',
} as const satisfies Record<GrantKind, string>;

export class GrantSigner {
  readonly #keys: KeySource<{ kid: string; key: ReturnType<typeof importJWK> }>;

  /**
   * @param signingKey - a private Ed25519 JWK, or the path of a file with one, which is read again when it changes.
   *   `workspace-providers grants create-key` makes one
   * @throws ProviderError `SetupInvalid` if it is not set, or is a key that is not valid. A file is read only when a
   *   grant is signed
   */
  constructor(signingKey: string | undefined) {
    if (!signingKey?.trim()) throw unset();
    this.#keys = new KeySource(signingKey, 'PROVIDER_GRANT_SIGNING_KEY', (text) => {
      const { kid, kty, crv, x, d } = parseSigningKey(text);
      rememberOwnSecret(d);
      return { kid, key: importJWK({ kty, crv, x, d, alg: 'EdDSA' }) };
    });
  }

  /** @throws ProviderError `SetupInvalid` if the signing key is not valid @internal */
  async sign(kind: GrantKind, grant: Pick<Grant, 'subject' | 'namespace' | 'workflowIds'>): Promise<string> {
    const { kid, key } = await this.#keys.current();
    // With milliseconds: a revocation must not cover what is signed after it in the same second.
    const issuedAt = Date.now() / 1_000;
    return new SignJWT({ workflow_ids: grant.workflowIds })
      .setProtectedHeader({ alg: 'EdDSA', typ: GRANT_TYPES[kind], kid })
      .setJti(randomUUID())
      .setSubject(grant.subject)
      .setAudience(grant.namespace)
      .setIssuedAt(issuedAt)
      .setNotBefore('0s')
      .sign(await key);
  }
}

function unset(): ProviderError {
  const message =
    'PROVIDER_GRANT_SIGNING_KEY is not set: without it no grant can be signed, and no workflow started; ' +
    'make a key with `workspace-providers grants create-key`';
  return new ProviderError('SetupInvalid', message, { fields: ['PROVIDER_GRANT_SIGNING_KEY'] });
}
