/**
 * The stages of a rotation that touch credentials. Each may be called again after it was interrupted, and none returns
 * a credential. The workflow decides the order of the stages, and the fence and the drain between them.
 */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Fetch } from '../egress/http-client.js';
import type { EgressPolicy } from '../egress/policy.js';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { checkIdentity, describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { CheckReport, RevocationReport } from '../protocol/rotation.js';
import { checkLive } from '../providers/live-check.js';
import { checkDestination, type ParsedProvider, parseProvider } from '../providers/registry.js';
import type { ManagementStore } from '../store/management-store.js';
import type { RotationRecord, SealedCredential } from '../store/rotation-store.js';
import { findProvider } from './find-provider.js';
import { IssuedKeys, type SignalContext } from './issued-keys.js';
import type { SecretFields, SecretVault } from './secret-vault.js';

export interface ManagementParts {
  readonly store: ManagementStore;
  readonly vault: SecretVault;
  readonly fetch: Fetch;
  readonly egress: EgressPolicy;
}

export interface StageRotationInput extends ProviderIdentity {
  /** The plaintext next credential; it is sealed before it leaves this process. Default: the service creates one. */
  readonly secret?: SecretFields;
}

export class RotationCredentials {
  readonly #keys: IssuedKeys;

  constructor(private readonly parts: ManagementParts) {
    this.#keys = new IssuedKeys(parts);
  }

  /**
   * Stores the next credential, sealed, until its workflow begins.
   *
   * @returns the rotation's id
   * @throws ProviderError `ProviderNotConfigured`, `RotationInProgress`; `ProviderConfigInvalid` also if the service
   *   cannot create keys, and for the credential that is stored now: the rotation would revoke it in the end
   */
  async stage({ secret, ...identity }: StageRotationInput): Promise<string> {
    const { store, vault, egress } = this.parts;
    const { workspaceId, type, name } = checkIdentity(identity);
    const provider = { workspaceId, type, name };
    const workspace = await store.readWorkspace(workspaceId);
    const { config } = findProvider(provider, workspace);
    if (secret === undefined) this.#keys.requireIssuing(provider);
    const parsed = secret && parseProvider(type, name, config, secret);
    if (parsed) checkDestination(provider, parsed.destination, egress);
    const next = parsed?.secret;
    if (next && (await this.#isServed(provider, next))) throw isThereAlready(provider);
    const rotationId = randomUUID();
    const nextEncryptedConfig = next && (await vault.seal(provider, next, workspace));
    await store.stageRotation({ rotationId, provider, nextEncryptedConfig });
    return rotationId;
  }

  /**
   * Creates the next key at the service. The label of the key names the rotation. If this process is killed before it
   * stores the key, the next attempt finds the key by its label and deletes it.
   *
   * @throws ProviderError `ProviderNotConfigured` if the workspace has no admin credential, `CredentialRejected` if the
   *   service refuses it, `ProviderUnavailable`, …
   */
  async issue(rotationId: string, context: SignalContext): Promise<void> {
    const { store, vault } = this.parts;
    const rotation = await store.readRotation(rotationId);
    if (rotation.next) return;
    const { provider } = rotation;
    const workspace = await store.readWorkspace(provider.workspaceId);
    const { encryptedConfig } = findProvider(provider, workspace);
    const current = await vault.open(provider, encryptedConfig, workspace.dataKeys);
    const issued = await this.#keys.issue(provider, { label: labelOf(rotation), current }, context);
    const sealed = await vault.seal(provider, issued.secret, workspace);
    const stored = await store.storeIssuedCredential(rotationId, { encryptedConfig: sealed, keyId: issued.keyId });
    // Another attempt was faster, or the rotation has ended: nobody would use this key.
    if (!stored) await this.#keys.revoke(provider, issued, context);
  }

  /** Checks the next credential against the live service. Throws as `checkProvider` of the client does. */
  async check(rotationId: string): Promise<CheckReport> {
    const { provider, next } = await this.parts.store.readRotation(rotationId);
    const startMs = performance.now();
    const opened = await this.#open(provider, next);
    const { outcome, detail } = await checkLive(provider.type, opened, this.parts.fetch);
    return { outcome, detail, tookMs: Math.round(performance.now() - startMs) };
  }

  /**
   * Revokes the credential that is no longer served, if the service's API can; otherwise reports what a person must do.
   *
   * @throws ProviderError if the service is unavailable: it is then unknown whether the credential is revoked
   */
  async revokePrevious(rotationId: string, context: SignalContext): Promise<RevocationReport> {
    const { provider, previous } = await this.parts.store.readRotation(rotationId);
    if (!previous) return this.#keys.byHand(provider);
    const { secret } = await this.#open(provider, previous);
    if (await this.#isServed(provider, secret)) {
      return { outcome: 'by-hand', detail: 'leave the older credential as it is: it was configured again meanwhile' };
    }
    return this.#keys.revoke(provider, { secret, keyId: previous.keyId }, context);
  }

  /**
   * Deletes the key that was created for a rotation before its activation, even if it was lost before it was stored.
   */
  async discardIssued(rotationId: string, context: SignalContext): Promise<RevocationReport | undefined> {
    const rotation = await this.parts.store.readRotation(rotationId);
    const { provider, origin, next, toVersion } = rotation;
    if (origin !== 'issued' || toVersion !== undefined) return undefined;
    if (!next) {
      await this.#keys.discard(provider, labelOf(rotation), context);
      return undefined;
    }
    const { secret } = await this.#open(provider, next);
    return this.#keys.revoke(provider, { secret, keyId: next.keyId }, context);
  }

  /**
   * Ends a rotation whose workflow is gone, and deletes the credentials that it keeps. If it was not activated, the key
   * that was created for it is deleted at the service too.
   */
  async abandon(rotationId: string, reason: string, context: SignalContext): Promise<void> {
    const { store } = this.parts;
    const { toVersion } = await store.readRotation(rotationId);
    if (toVersion !== undefined) {
      return store.endRotation(rotationId, undefined, `${reason}; the older credential may still be valid`);
    }
    const left = await this.discardIssued(rotationId, context).then(
      (report) => (report?.outcome === 'by-hand' ? `; ${report.detail}` : ''),
      () => '; the key that was created for it could not be deleted: delete it at the service',
    );
    await store.endRotation(rotationId, 'failed', reason + left);
  }

  /** Whether steps receive that credential now. False if the provider is gone or does not open. */
  async #isServed(provider: ProviderIdentity, secret: unknown): Promise<boolean> {
    try {
      const served = findProvider(provider, await this.parts.store.readWorkspace(provider.workspaceId));
      return isDeepStrictEqual((await this.#open(provider, served)).secret, secret);
    } catch (error) {
      if (isProviderError(error) && !error.retryable) return false;
      throw error;
    }
  }

  async #open(provider: ProviderIdentity, sealed: SealedCredential | undefined): Promise<ParsedProvider> {
    const { store, vault } = this.parts;
    if (!sealed) {
      throw new ProviderError('RotationFailed', 'the rotation no longer keeps that credential', { provider });
    }
    const workspace = await store.readWorkspace(provider.workspaceId);
    const secret = await vault.open(provider, sealed.encryptedConfig, workspace.dataKeys);
    return parseProvider(provider.type, provider.name, findProvider(provider, workspace).config, secret);
  }
}

/** The name of a created key at its service. It shows there what the key belongs to. */
function labelOf({ rotationId, provider }: RotationRecord): string {
  return `workspace-providers ${provider.workspaceId} ${rotationId}`;
}

function isThereAlready(provider: ProviderIdentity): ProviderError {
  const message = `the next credential is the current one of ${describeProvider(provider)}: give another one`;
  return new ProviderError('ProviderConfigInvalid', message, { provider, fields: ['secret'] });
}
