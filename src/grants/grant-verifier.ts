/**
 * What a worker believes of a grant: that one of its public keys signed it, for this namespace, for this workflow, and
 * that it was not revoked. A grant does not expire, since workflows run for weeks and are reset; it is revoked.
 */
import { ProviderError } from '../protocol/errors.js';
import { coversWorkflow, type Grant, type GrantKind } from '../protocol/grants.js';
import type { Revocation } from './grant-keys.js';
import { KeySource } from './key-source.js';
import { TrustedKeys } from './trusted-keys.js';

/** Where a grant is shown. */
export interface GrantUse {
  readonly namespace: string;
  readonly workflowId: string;
}

export class GrantVerifier {
  readonly #keys: KeySource<TrustedKeys>;

  /**
   * @param keySet - a JSON Web Key Set of public Ed25519 keys: the document, or the path of a file, or an `https:`
   *   address; the latter two are read anew every ten seconds, while grants are shown
   */
  constructor(keySet: string) {
    this.#keys = new KeySource(keySet, 'PROVIDER_GRANT_KEYS', TrustedKeys.parse);
  }

  /** @throws ProviderError `ProviderConfigInvalid`, `KeyServiceUnavailable` where the keys cannot be read */
  async preflight(): Promise<void> {
    await this.#keys.current();
  }

  /** @throws ProviderError `GrantInvalid`; what is said of a token that no key of ours signed is always the same */
  async verify(kind: GrantKind, token: string | undefined, { namespace, workflowId }: GrantUse): Promise<Grant> {
    if (token === undefined) throw refused(NONE[kind]);
    const { grant, keys } = await this.#signed(kind, token);
    if (grant.namespace !== namespace || !coversWorkflow(grant, workflowId)) {
      throw refused(`the ${kind} grant of this workflow was made for another one`);
    }
    if (keys.revoked.some((revocation) => isCovered(grant, workflowId, revocation))) {
      throw refused(`the ${kind} grant of this workflow was revoked`);
    }
    return grant;
  }

  /** The grant, and the keys that verified it: those that were read, or newer ones where these do not know its key. */
  async #signed(kind: GrantKind, token: string): Promise<{ grant: Grant; keys: TrustedKeys }> {
    const known = await this.#keys.current();
    const grant = await known.verify(kind, token);
    if (grant) return { grant, keys: known };
    const newer = known.isOfUnknownKey(token) ? await this.#keys.newer() : known;
    const late = newer === known ? undefined : await newer.verify(kind, token);
    if (late) return { grant: late, keys: newer };
    throw refused(`the ${kind} grant of this workflow is not valid`);
  }
}

function isCovered(grant: Grant, workflowId: string, revocation: Revocation): boolean {
  if ('grantId' in revocation) return grant.grantId === revocation.grantId;
  const { issuedBefore } = revocation;
  if (issuedBefore !== undefined && Math.round(grant.issuedAt * 1_000) >= Date.parse(issuedBefore)) return false;
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
