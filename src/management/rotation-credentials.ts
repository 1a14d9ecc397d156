/**
 * The stages of a rotation that touch credentials. Each may be called again after it was interrupted, and none returns
 * a credential. The workflow decides the order of the stages, and the fence and the drain between them. A credential
 * goes nowhere but to the destination that it was sealed for, whatever the provider's config is by then.
 */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Fetch } from '../egress/http-client.js';
import type { EgressPolicy } from '../egress/policy.js';
import type { Reporter } from '../observer/observer.js';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { checkIdentity, describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import { type CheckReport, mayStillBeValid, type RevocationReport } from '../protocol/rotation.js';
import { checkLive } from '../providers/live-check.js';
import { checkDestination, type ParsedProvider } from '../providers/parse-provider.js';
import type { ProviderTypes } from '../providers/provider-types.js';
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
  readonly types: ProviderTypes;
  readonly observer: Pick<Reporter, 'report'>;
}

export interface StageRotationInput extends ProviderIdentity {
  /** The plaintext next credential; it is sealed before it leaves this process. Default: the service creates one. */
  readonly secret?: SecretFields;
}

/** How a rotation is staged. */
export interface StageOptions {
  /** Whether the caller starts its workflow at once. Another caller then replaces it only after a minute. */
  readonly startsNow?: boolean;
}

export class RotationCredentials {
  readonly #keys: IssuedKeys;

  constructor(private readonly parts: ManagementParts) {
    this.#keys = new IssuedKeys(parts);
  }

  /**
   * Stores the next credential, sealed for the provider's destination, until its workflow begins. The rotation begins
   * only if the provider is still at the same version.
   *
   * @returns the rotation's id
   * @throws ProviderError `ProviderNotConfigured`, `RotationInProgress`, `ProviderChanged` if the provider was changed
   *   meanwhile; `ProviderConfigInvalid` also if the service cannot create keys, and for the credential that is stored
   *   now: the rotation would revoke it in the end
   */
  async stage({ secret, ...identity }: StageRotationInput, options: StageOptions = {}): Promise<string> {
    const { store, vault, egress, types } = this.parts;
    const { workspaceId, type, name } = checkIdentity(identity);
    const provider = { workspaceId, type, name };
    const workspace = await store.readWorkspace(workspaceId);
    const { config, version: fromVersion } = findProvider(provider, workspace);
    if (secret === undefined) this.#keys.requireIssuing(provider);
    const next = secret && types.parse(type, name, config, secret);
    if (next) checkDestination(next, egress);
    if (next && (await this.#isServed(provider, next.secret))) throw isThereAlready(provider);
    const rotationId = randomUUID();
    const nextEncryptedConfig = next && (await vault.seal(provider, next, workspace));
    await store.stageRotation({ rotationId, provider, fromVersion, nextEncryptedConfig, ...options });
    return rotationId;
  }

  /**
   * Creates the next key at the service. The label of the key names the rotation. If this process is killed before it
   * stores the key, the next attempt finds the key by its label and deletes it.
   *
   * @throws ProviderError `ProviderNotConfigured` if the workspace has no admin credential, `ProviderConfigInvalid` if
   *   the admin credential goes to another address, `RotationFailed` if the provider was changed, `CredentialRejected`
   *   if the service refuses the admin credential, `ProviderUnavailable`, …
   */
  async issue(rotationId: string, context: SignalContext): Promise<void> {
    const { store, vault, types } = this.parts;
    const rotation = await store.readRotation(rotationId);
    if (rotation.next) return;
    const { provider } = rotation;
    const workspace = await store.readWorkspace(provider.workspaceId);
    const record = findProvider(provider, workspace);
    if (record.version !== rotation.fromVersion) throw hasChanged(provider);
    const current = await vault.open(provider, record, workspace.dataKeys);
    const destination = types.destinationOf(provider.type, provider.name, record.config);
    const { secret, keyId } = await this.#keys.issue(
      provider,
      { label: labelOf(rotation), current, destination },
      context,
    );
    const encryptedConfig = await vault.seal(provider, { secret, destination }, workspace);
    const stored = await store.storeIssuedCredential(rotationId, { encryptedConfig, keyId });
    // Another attempt was faster, or the rotation has ended: nobody would use this key.
    if (!stored) await this.#keys.revoke(provider, { secret, destination, keyId }, context);
  }

  /** Checks the next credential against the live service. Throws as `checkProvider` of the client does. */
  async check(rotationId: string): Promise<CheckReport> {
    const { provider, next } = await this.parts.store.readRotation(rotationId);
    const startMs = performance.now();
    const opened = await this.#openForService(provider, next);
    const { outcome, detail } = await checkLive(opened, this.parts.fetch);
    this.parts.observer.report({ what: 'checked', type: provider.type, outcome });
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
    const opened = await this.#openForAdmin(provider, previous);
    if (await this.#isServed(provider, opened.secret)) {
      return { outcome: 'by-hand', detail: 'leave the older credential as it is: it was configured again meanwhile' };
    }
    return this.#keys.revoke(provider, { ...opened, keyId: previous.keyId }, context);
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
    return this.#keys.revoke(provider, { ...(await this.#openForAdmin(provider, next)), keyId: next.keyId }, context);
  }

  /**
   * Ends a rotation whose workflow is gone, and deletes the credentials that it keeps. If it was not activated, the key
   * that was created for it is deleted at the service too. Does nothing if it has ended.
   */
  async abandon(rotationId: string, reason: string, context: SignalContext): Promise<void> {
    const { store } = this.parts;
    const { toVersion, rolledBack, endedAt } = await store.readRotation(rotationId);
    if (endedAt) return;
    if (toVersion !== undefined) {
      const left = mayStillBeValid(rolledBack);
      return store.endRotation(rotationId, { reason: `${reason}; ${left}`, abandoned: true });
    }
    const left = await this.discardIssued(rotationId, context).then(
      (report) => (report?.outcome === 'by-hand' ? `; ${report.detail}` : ''),
      () => '; the key that was created for it could not be deleted: delete it at the service',
    );
    await store.endRotation(rotationId, { state: 'failed', reason: reason + left, abandoned: true });
  }

  /** Whether steps receive that credential now. False if the provider is gone or does not open. */
  async #isServed(provider: ProviderIdentity, secret: unknown): Promise<boolean> {
    try {
      const workspace = await this.parts.store.readWorkspace(provider.workspaceId);
      const served = findProvider(provider, workspace);
      return isDeepStrictEqual(await this.parts.vault.open(provider, served, workspace.dataKeys), secret);
    } catch (error) {
      if (isProviderError(error) && !error.retryable) return false;
      throw error;
    }
  }

  /** Opens a credential only if it was sealed for the destination that the config has now. */
  async #openForService(provider: ProviderIdentity, sealed: SealedCredential | undefined): Promise<ParsedProvider> {
    const { store, vault, types } = this.parts;
    if (!sealed) {
      throw new ProviderError('RotationFailed', 'the rotation no longer keeps that credential', { provider });
    }
    const workspace = await store.readWorkspace(provider.workspaceId);
    const { config } = findProvider(provider, workspace);
    const { encryptedConfig } = sealed;
    const secret = await vault.open(provider, { config, encryptedConfig }, workspace.dataKeys);
    return types.parse(provider.type, provider.name, config, secret);
  }

  /** Opens a credential to revoke it: the admin API is asked only if it is at the address that it was sealed for. */
  async #openForAdmin(provider: ProviderIdentity, { encryptedConfig }: SealedCredential) {
    const { store, vault, types } = this.parts;
    const { dataKeys } = await store.readWorkspace(provider.workspaceId);
    const { secret, destination } = await vault.openWithDestination(provider, encryptedConfig, dataKeys);
    return { secret: types.parseSecret(provider.type, provider.name, secret), destination };
  }
}

/** The name of a created key at its service. It shows there what the key belongs to. */
function labelOf({ rotationId, provider }: RotationRecord): string {
  return `workspace-providers ${provider.workspaceId} ${rotationId}`;
}

function hasChanged(provider: ProviderIdentity): ProviderError {
  const message = `${describeProvider(provider)} was changed after the rotation began: rotate again`;
  return new ProviderError('RotationFailed', message, { provider });
}

function isThereAlready(provider: ProviderIdentity): ProviderError {
  const message = `the next credential is the current one of ${describeProvider(provider)}: give another one`;
  return new ProviderError('ProviderConfigInvalid', message, { provider, fields: ['secret'] });
}
