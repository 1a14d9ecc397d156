/**
 * The stages of a rotation that touch credentials: each may be called again after it was cut short, and none lets a
 * credential out. The order of the stages, and the fence and the drain between them, are the workflow's.
 */
import { randomUUID } from 'node:crypto';
import { ProviderError } from '../protocol/errors.js';
import type { ProviderIdentity } from '../protocol/identity.js';
import { checkIdentity, describeProvider } from '../protocol/names.js';
import type { CheckReport, RevocationReport } from '../protocol/rotation.js';
import {
  type AnyKeyService,
  keyServiceOf,
  type ParsedProvider,
  parseProvider,
  providerType,
} from '../providers/index.js';
import { checkLive } from '../providers/live-check.js';
import type { CheckContext, Fetch } from '../providers/type.js';
import type { ManagementStore } from '../store/management-store.js';
import type { RotationRecord, SealedCredential } from '../store/rotation-store.js';
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
   *   cannot make keys
   */
  async stage({ provider, secret, requestedBy }: StageRotationInput): Promise<string> {
    const { store, vault } = this.dependencies;
    const { workspaceId, type, name } = checkIdentity(provider);
    const workspace = await store.readWorkspace(workspaceId);
    const { config } = find(provider, workspace.providers);
    if (secret === undefined && !keyServiceOf(type, name)?.issue) throw cannotIssue(provider);
    const next = secret && parseProvider(type, name, config, secret).secret;
    const rotationId = randomUUID();
    const nextEncryptedConfig = next && (await vault.seal(provider, next, workspace));
    await store.stageRotation({ rotationId, provider, requestedBy, nextEncryptedConfig });
    return rotationId;
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
    const { encryptedConfig } = find(provider, workspace.providers);
    const current = await vault.open(provider, encryptedConfig, workspace.dataKeys);
    const label = labelOf(rotation);
    const issued = await keys.issue(admin, { label, current }, { fetch, ...context });
    const sealed = await vault.seal(provider, issued.secret, workspace);
    await store.storeIssuedCredential(rotationId, { encryptedConfig: sealed, keyId: issued.keyId });
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
    return this.#revoke(provider, previous, context);
  }

  /** After a rotation that failed: a key that was made for it is unmade. */
  async discardIssued(
    rotationId: string,
    context: Pick<CheckContext, 'signal'>,
  ): Promise<RevocationReport | undefined> {
    const { provider, origin, next } = await this.dependencies.store.readRotation(rotationId);
    return origin === 'issued' && next ? this.#revoke(provider, next, context) : undefined;
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
    return keys.revoke(admin, { secret, keyId: sealed.keyId }, { fetch: this.dependencies.fetch, ...context });
  }

  async #open(provider: ProviderIdentity, sealed: SealedCredential | undefined): Promise<ParsedProvider> {
    const { store, vault } = this.dependencies;
    if (!sealed)
      throw new ProviderError('RotationFailed', 'the rotation keeps no such credential any more', { provider });
    const { providers, dataKeys } = await store.readWorkspace(provider.workspaceId);
    const secret = await vault.open(provider, sealed.encryptedConfig, dataKeys);
    return parseProvider(provider.type, provider.name, find(provider, providers).config, secret);
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

function find<Row extends { readonly type: string; readonly name: string }>(
  provider: ProviderIdentity,
  providers: readonly Row[],
): Row {
  const row = providers.find(({ type, name }) => type === provider.type && name === provider.name);
  if (row) return row;
  throw new ProviderError('ProviderNotConfigured', `there is no ${describeProvider(provider)}`, { provider });
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
