/**
 * Verifies grants in a worker: one of its public keys has signed the grant, for this namespace and this workflow, and
 * the grant was not revoked. Grants do not expire, because workflows run for weeks and are reset. They are revoked
 * instead.
 */
import { ProviderError, type ProviderErrorFacts } from '../protocol/errors.js';
import { coversWorkflow, type Grant, type GrantKind } from '../protocol/grants.js';
import type { Revocation } from './grant-keys.js';
import type { GrantRefusal } from './grant-refusal.js';
import { KeySource, type KeySourceOptions } from './key-source.js';
import { TrustedKeys } from './trusted-keys.js';

/** RFC 7517: what a reader of a key set does not understand is ignored. */
const UNUSED = 'PROVIDER_GRANT_KEYS has members that are not for grants, and are ignored';

const SHORTEST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 10_000;

/** The workflow that presents a grant. */
export interface GrantUse {
  readonly namespace: string;
  readonly workflowId: string;
}

export class GrantVerifier {
  readonly #keys: KeySource<TrustedKeys>;

  /**
   * @param keySet - a JSON Web Key Set of public Ed25519 keys: the document, the path of a file, or an `https:`
   *   address. A file or an address is read again every ten seconds
   * @param options - `maxAgeMs`: how long a set that cannot be read again stays in effect
   */
  constructor(keySet: string, options: Pick<KeySourceOptions, 'fetch' | 'maxAgeMs'> = {}) {
    const said = new Set<string>();
    const parse = (text: string) =>
      TrustedKeys.parse(text, (ignored) => {
        const names = ignored.slice(0, 5).join(', ');
        if (!said.has(names)) process.emitWarning(`${UNUSED}: ${names}`, 'WorkspaceProvidersWarning');
        said.add(names);
      });
    this.#keys = new KeySource(keySet, 'PROVIDER_GRANT_KEYS', parse, { ...options, refusesOpenFiles: true });
  }

  /** A digest of the key set that is in use; empty before it was read. */
  get revision(): string {
    return this.#keys.latest?.revision ?? '';
  }

  /** How long ago the key set was read, in milliseconds. `undefined` if it is the setting itself. */
  get keySetAgeMs(): number | undefined {
    return this.#keys.ageMs;
  }

  /** Whether grants can be verified: the key set was read, and is not too old. */
  get isInEffect(): boolean {
    return this.#keys.isInEffect;
  }

  /** Reads the key set also while no workflow presents a grant, until the returned function is called. */
  watch(changed: () => void): () => void {
    return this.#keys.watch(changed);
  }

  /**
   * @throws ProviderError `SetupInvalid` if the key set is not valid, `KeyServiceUnavailable` if its address does not
   *   answer
   */
  async preflight(): Promise<void> {
    await this.#keys.current();
  }

  /**
   * @param refused - is called with the reason before a refusal is thrown, for the worker's log
   * @throws ProviderError `GrantInvalid`, with the same message for every token that none of the keys signed. It can be
   *   retried if the grant is dated minutes ahead of the clock of this process. `KeyServiceUnavailable`, which can be
   *   retried, if the key set could not be read for too long
   */
  async verify(
    kind: GrantKind,
    token: string | undefined,
    { namespace, workflowId }: GrantUse,
    refused: (refusal: GrantRefusal) => void = () => {},
  ): Promise<Grant> {
    if (token === undefined) throw invalid(NONE[kind]);
    const { verified, keys } = await this.#signed(kind, token);
    if ('cause' in verified) {
      refused(verified);
      const { passesInMs } = verified;
      throw invalid(
        `the ${kind} grant of this workflow is not valid`,
        passesInMs === undefined ? {} : { isPassing: true, retryAfterMs: retryDelayMs(passesInMs) },
      );
    }
    const { grantId } = verified;
    const misfit = misfitOf(verified, { namespace, workflowId });
    if (misfit) {
      refused(misfit);
      throw invalid(`the ${kind} grant of this workflow was signed for another workflow or namespace`);
    }
    if (keys.revoked.some((revocation) => isCovered(verified, workflowId, revocation))) {
      refused({ cause: 'revoked', message: 'it was revoked', facts: { grantId } });
      throw invalid(`the ${kind} grant of this workflow was revoked`);
    }
    return verified;
  }

  /** Returns the grant and the keys that verified it: the current ones, or newer ones if these do not have its key. */
  async #signed(kind: GrantKind, token: string): Promise<{ verified: Grant | GrantRefusal; keys: TrustedKeys }> {
    const known = await this.#keys.current();
    const verified = await known.verify(kind, token);
    if (!('cause' in verified) || !known.isOfUnknownKey(token)) return { verified, keys: known };
    const newer = await this.#keys.newer();
    return newer === known ? { verified, keys: known } : { verified: await newer.verify(kind, token), keys: newer };
  }
}

function misfitOf(grant: Grant, { namespace, workflowId }: GrantUse): GrantRefusal | undefined {
  const { grantId, workflowIds } = grant;
  if (grant.namespace !== namespace) {
    const facts = { grantId, grantNamespace: grant.namespace };
    return { cause: 'wrong namespace', message: 'it was signed for another Temporal namespace', facts };
  }
  if (coversWorkflow(grant, workflowId)) return undefined;
  const facts = { grantId, grantWorkflowIds: workflowIds.slice(0, 5) };
  return { cause: 'wrong workflow', message: 'it was signed for another workflow id', facts };
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

/** Another worker may have the right time, so no attempt waits for long. */
function retryDelayMs(passesInMs: number): number {
  return Math.min(Math.max(Math.ceil(passesInMs), SHORTEST_RETRY_MS), LONGEST_RETRY_MS);
}

function invalid(message: string, facts: ProviderErrorFacts = {}): ProviderError {
  return new ProviderError('GrantInvalid', message, facts);
}
