/**
 * The stages of a rotation that touch credentials: each may be called again after it was cut short, and none lets a
 * credential out. The order of the stages, and the fence and the drain between them, are the workflow's.
 */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import type { ProviderIdentity } from '../protocol/identity.js';
import { checkIdentity, describeProvider } from '../protocol/names.js';
import type { CheckReport, RevocationReport } from '../protocol/rotation.js';
import type { PreparedRotation } from '../protocol/schedules.js';
import {
  type AnyKeyService,
  keyServiceOf,
  type ParsedProvider,
  parseProvider,
  providerType,
} from '../providers/index.js';
import { checkLive } from '../providers/live-check.js';
import { toProviderError } from '../providers/outcome.js';
import type { CheckContext, Fetch } from '../providers/type.js';
import type { ManagementStore } from '../store/management-store.js';
import type { RotationRecord, SealedCredential } from '../store/rotation-store.js';
import { findProvider } from './find-provider.js';
import type { SecretFields, SecretVault } from './secret-vault.js';

export interface RotationsDependencies {
  readonly store: ManagementStore;
  readonly vault: SecretVault;
  readonly fetch: Fetch;
}

export interface StageRotationInput {
  readonly provider: ProviderIdentity;
  /** In the clear; sealed before it leaves this process. Absent: the service is to make one. */
  readonly secret?: SecretFields;
  /** Who asks, for the record. */
  readonly requestedBy: string;
}

export class Rotations {
  constructor(private readonly dependencies: RotationsDependencies) {}

  /**
   * Keeps the next credential, sealed, until its workflow begins.
   *
   * @returns the rotation's id
   * @throws ProviderError `ProviderNotConfigured`, `RotationInProgress`; `ProviderConfigInvalid` also where the service
   *   cannot make keys, and for the credential that is there: it would be revoked in the end
   */
  async stage({ provider, secret, requestedBy }: StageRotationInput): Promise<string> {
    const { store, vault } = this.dependencies;
    const { workspaceId, type, name } = checkIdentity(provider);
    const workspace = await store.readWorkspace(workspaceId);
    const { config } = findProvider(provider, workspace);
    if (secret === undefined && !keyServiceOf(type, name)?.issue) throw cannotIssue(provider);
    const next = secret && parseProvider(type, name, config, secret).secret;
    if (next && (await this.#isServed(provider, next))) throw isThereAlready(provider);
    const rotationId = randomUUID();
    const nextEncryptedConfig = next && (await vault.seal(provider, next, workspace));
    await store.stageRotation({ rotationId, provider, requestedBy, nextEncryptedConfig });
    return rotationId;
  }

  /** Of a provider that is due: takes the rotation that was staged ahead, else has the service make a key, if it can. */
  async prepareDue(provider: ProviderIdentity): Promise<PreparedRotation> {
    const { store } = this.dependencies;
    const { workspaceId, type, name } = provider;
    const keys = keyServiceOf(type, name);
    const { providers } = await store.readWorkspace(workspaceId);
    const canBeIssued =
      keys?.issue !== undefined &&
      providers.some((each) => each.type === keys.adminType && each.name === name && each.status === 'active');
    const requestedBy = 'rotateDueProviders';
    return store.stageDueRotation({ rotationId: randomUUID(), provider, canBeIssued, requestedBy });
  }

  /**
   * Has the service make the next key. Labelled with the rotation, so that one which was made and then lost, because
   * this process was killed in between, is found and removed by the next attempt.
   *
   * @throws ProviderError `ProviderNotConfigured` without an admin credential, `CredentialRejected` where that is
   *   refused, `ProviderUnavailable`, …
   */
  async issue(rotationId: string, context: Pick<CheckContext, 'signal'>): Promise<void> {
    const { store, vault, fetch } = this.dependencies;
    const rotation = await store.readRotation(rotationId);
    if (rotation.next) return;
    const { provider } = rotation;
    const { keys, admin } = await this.#keyService(provider);
    if (!keys?.issue) throw cannotIssue(provider);
    if (!admin) throw noAdmin(provider, keys);
    const workspace = await store.readWorkspace(provider.workspaceId);
    const { encryptedConfig } = findProvider(provider, workspace);
    const current = await vault.open(provider, encryptedConfig, workspace.dataKeys);
    const call = { fetch, ...context };
    const issued = await atService(keys, provider, () =>
      keys.issue?.(admin, { label: labelOf(rotation), current }, call),
    );
    if (!issued) throw cannotIssue(provider);
    const sealed = await vault.seal(provider, issued.secret, workspace);
    const stored = await store.storeIssuedCredential(rotationId, { encryptedConfig: sealed, keyId: issued.keyId });
    // Another attempt was faster, or the rotation has ended: this key would serve nobody.
    if (!stored) await atService(keys, provider, async () => keys.revoke?.(admin, issued, call));
  }

  /** Asks the live service whether it takes the next credential. Throws as `checkProvider` of the client does. */
  async check(rotationId: string): Promise<CheckReport> {
    const { store, fetch } = this.dependencies;
    const rotation = await store.readRotation(rotationId);
    const startMs = performance.now();
    const { outcome, detail } = await checkLive(
      rotation.provider.type,
      await this.#open(rotation.provider, rotation.next),
      fetch,
    );
    return { outcome, detail, tookMs: Math.round(performance.now() - startMs) };
  }

  /**
   * Revokes the credential that is no longer served, where the service's API can; else says what a person must do.
   *
   * @throws ProviderError where the service is away: nothing is known then
   */
  async revokePrevious(rotationId: string, context: Pick<CheckContext, 'signal'>): Promise<RevocationReport> {
    const { provider, previous } = await this.dependencies.store.readRotation(rotationId);
    if (previous && (await this.#isServed(provider, (await this.#open(provider, previous)).secret))) {
      return {
        outcome: 'operator',
        detail: 'the older credential was configured again meanwhile: it is left as it is',
      };
    }
    return this.#revoke(provider, previous, context);
  }

  /** After a rotation that failed before its activation: a key that was made for it is unmade. */
  async discardIssued(
    rotationId: string,
    context: Pick<CheckContext, 'signal'>,
  ): Promise<RevocationReport | undefined> {
    const { provider, origin, next, toVersion } = await this.dependencies.store.readRotation(rotationId);
    const isOurs = origin === 'issued' && toVersion === undefined;
    return isOurs && next ? this.#revoke(provider, next, context) : undefined;
  }

  /**
   * Ends a rotation whose workflow is gone: it keeps no credential any more, and a key that was made for it is unmade.
   * One that was activated ends where it is.
   */
  async abandon(rotationId: string, reason: string, context: Pick<CheckContext, 'signal'>): Promise<void> {
    const { store } = this.dependencies;
    const { toVersion } = await store.readRotation(rotationId);
    if (toVersion !== undefined) {
      return store.endRotation(rotationId, undefined, `${reason}; the older credential may still be valid`);
    }
    const left = await this.discardIssued(rotationId, context).then(
      (report) => (report?.outcome === 'operator' ? `; ${report.detail}` : ''),
      () => '; the key that was made for it could not be unmade: delete it at the service',
    );
    await store.endRotation(rotationId, 'failed', reason + left);
  }

  async #revoke(
    provider: ProviderIdentity,
    sealed: SealedCredential | undefined,
    context: Pick<CheckContext, 'signal'>,
  ): Promise<RevocationReport> {
    const { type, name } = provider;
    const byHand = { outcome: 'operator', detail: providerType(type).revokeByHand(name) } as const;
    const { keys, admin } = await this.#keyService(provider);
    if (!keys?.revoke || !admin || !sealed) return byHand;
    const { secret } = await this.#open(provider, sealed);
    const key = { secret, keyId: sealed.keyId };
    const call = { fetch: this.dependencies.fetch, ...context };
    return (await atService(keys, provider, async () => keys.revoke?.(admin, key, call))) ?? byHand;
  }

  /** Whether that credential is the one that steps are given now. One that does not open is none that works. */
  async #isServed(provider: ProviderIdentity, secret: unknown): Promise<boolean> {
    const { providers } = await this.dependencies.store.readWorkspace(provider.workspaceId);
    const row = providers.find(({ type, name }) => type === provider.type && name === provider.name);
    if (!row) return false;
    try {
      return isDeepStrictEqual((await this.#open(provider, row)).secret, secret);
    } catch (error) {
      if (isProviderError(error) && !error.retryable) return false;
      throw error;
    }
  }

  async #open(provider: ProviderIdentity, sealed: SealedCredential | undefined): Promise<ParsedProvider> {
    const { store, vault } = this.dependencies;
    if (!sealed)
      throw new ProviderError('RotationFailed', 'the rotation keeps no such credential any more', { provider });
    const workspace = await store.readWorkspace(provider.workspaceId);
    const secret = await vault.open(provider, sealed.encryptedConfig, workspace.dataKeys);
    return parseProvider(provider.type, provider.name, findProvider(provider, workspace).config, secret);
  }

  /** The service's admin API, and the workspace's credential for it, where it configured one. */
  async #keyService(provider: ProviderIdentity): Promise<{ readonly keys?: AnyKeyService; readonly admin?: unknown }> {
    const keys = keyServiceOf(provider.type, provider.name);
    if (!keys) return {};
    const { store, vault } = this.dependencies;
    const identity = { ...provider, type: keys.adminType };
    const { providers, dataKeys } = await store.readWorkspace(provider.workspaceId);
    const row = providers.find((each) => each.type === identity.type && each.name === identity.name);
    if (row?.status !== 'active') return { keys };
    const secret = await vault.open(identity, row.encryptedConfig, dataKeys);
    return { keys, admin: parseProvider(identity.type, identity.name, row.config, secret).credential };
  }
}

/** What a minted key is called at its service: a person who sees it there can tell whose it is. */
function labelOf({ rotationId, provider }: RotationRecord): string {
  return `workspace-providers ${provider.workspaceId} ${rotationId}`;
}

/** Errors of the admin API, as failures of the admin credential's provider. */
async function atService<Result>(
  { adminType }: AnyKeyService,
  { workspaceId, name }: ProviderIdentity,
  call: () => Promise<Result> | undefined,
): Promise<Result | undefined> {
  try {
    return await call();
  } catch (error) {
    throw toProviderError(error, { workspaceId, type: adminType, name }) ?? error;
  }
}

function isThereAlready(provider: ProviderIdentity): ProviderError {
  const message = `the next credential is the one that ${describeProvider(provider)} has: give another`;
  return new ProviderError('ProviderConfigInvalid', message, { provider, fields: ['secret'] });
}

function cannotIssue(provider: ProviderIdentity): ProviderError {
  const message = `no key can be made for ${describeProvider(provider)} at its service: give the next one`;
  return new ProviderError('ProviderConfigInvalid', message, { provider, fields: ['secret'] });
}

function noAdmin({ workspaceId, name }: ProviderIdentity, { adminType }: AnyKeyService): ProviderError {
  const provider = { workspaceId, type: adminType, name };
  return new ProviderError(
    'ProviderNotConfigured',
    `${workspaceId} has no ${adminType}/${name}: workspace-providers configure ${workspaceId} ${adminType} ${name}`,
    { provider },
  );
}
