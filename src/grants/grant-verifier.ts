/**
 * Verifies grants in a worker: one of its public keys has signed the grant, for this namespace and this workflow, and
 * the grant was not revoked. Grants do not expire, because workflows run for weeks and are reset. They are revoked
 * instead.
 */
import { ProviderError } from '../protocol/errors.js';
import { coversWorkflow, type Grant, type GrantKind } from '../protocol/grants.js';
import type { Revocation } from './grant-keys.js';
import { KeySource } from './key-source.js';
import { TrustedKeys } from './trusted-keys.js';

/** The workflow that presents a grant. */
export interface GrantUse {
  readonly namespace: string;
  readonly workflowId: string;
}

export class GrantVerifier {
  readonly #keys: KeySource<TrustedKeys>;

  /**
   * @param keySet - a JSON Web Key Set of public Ed25519 keys: the document, the path of a file, or an `https:`
   *   address. A file or an address is read again every ten seconds while workflows present grants
   */
  constructor(keySet: string) {
    this.#keys = new KeySource(keySet, 'PROVIDER_GRANT_KEYS', TrustedKeys.parse);
  }

  /**
   * @throws ProviderError `SetupInvalid` if the key set is not valid, `KeyServiceUnavailable` if its address does not
   *   answer
   */
  async preflight(): Promise<void> {
    await this.#keys.current();
  }

  /** @throws ProviderError `GrantInvalid`, with the same message for every token that none of the keys signed */
  async verify(kind: GrantKind, token: string | undefined, { namespace, workflowId }: GrantUse): Promise<Grant> {
    if (token === undefined) throw refused(NONE[kind]);
    const { grant, keys } = await this.#signed(kind, token);
    if (grant.namespace !== namespace || !coversWorkflow(grant, workflowId)) {
      throw refused(`the ${kind} grant of this workflow was signed for another workflow or namespace`);
    }
    if (keys.revoked.some((revocation) => isCovered(grant, workflowId, revocation))) {
      throw refused(`the ${kind} grant of this workflow was revoked`);
    }
    return grant;
  }

  /** Returns the grant and the keys that verified it: the current ones, or newer ones if these do not have its key. */
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
    'this workflow has no workspace grant: start it with a client of WorkspaceGrants, and bundle it with the plugin',
  operator:
    'this workflow has no operator grant: start rotations and schedules with the CLI or WorkspaceGrants.operatorClient',
};

function refused(message: string): ProviderError {
  return new ProviderError('GrantInvalid', message);
}
