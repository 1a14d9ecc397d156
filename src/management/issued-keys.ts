/**
 * Creates and revokes keys at the services that have an API for it. The admin credential is a separate provider of the
 * workspace; it is opened for the length of one call. A key is created only for the address that the admin credential
 * goes to, and it is shown to an admin API only at the address that the key was sealed for.
 */

import type { Fetch } from '../egress/http-client.js';
import { ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { RevocationReport } from '../protocol/rotation.js';
import { toProviderError } from '../providers/answers/provider-error.js';
import { isSameAddress, type ParsedProvider } from '../providers/parse-provider.js';
import type { ProviderTypes } from '../providers/provider-types.js';
import type { AnyKeyIssuer, CheckContext, IssuedKey } from '../providers/type.js';
import type { ManagementStore } from '../store/management-store.js';
import type { SecretFields, SecretVault } from './secret-vault.js';

export interface IssuedKeysDependencies {
  readonly store: Pick<ManagementStore, 'readWorkspace'>;
  readonly vault: SecretVault;
  readonly fetch: Fetch;
  readonly types: ProviderTypes;
}

export interface IssueKeyInput {
  /** The name of the key at the service. */
  readonly label: string;
  /** The plaintext secret now. Fields other than the key itself are copied. */
  readonly current: SecretFields;
  /** Where the new key will be sent. */
  readonly destination: string;
}

export interface RevokeKeyInput {
  /** The plaintext secret. */
  readonly secret: SecretFields;
  /** The destination that the secret was sealed for. */
  readonly destination: string;
  /** Absent if the key was not created by a rotation. */
  readonly keyId?: string | undefined;
}

export type SignalContext = Pick<CheckContext, 'signal'>;

export class IssuedKeys {
  constructor(private readonly dependencies: IssuedKeysDependencies) {}

  /** @throws ProviderError `ProviderConfigInvalid` if the service cannot create keys for such a provider */
  requireIssuing(provider: ProviderIdentity): void {
    if (!this.dependencies.types.keyIssuerOf(provider.type, provider.name)?.issue) throw cannotIssue(provider);
  }

  /**
   * Creates a key.
   *
   * @throws ProviderError `ProviderNotConfigured` if the workspace has no admin credential, `ProviderConfigInvalid` if
   *   the admin credential goes to another address; otherwise the failure of the call to the service
   */
  async issue(
    provider: ProviderIdentity,
    { label, current, destination }: IssueKeyInput,
    context: SignalContext,
  ): Promise<IssuedKey<SecretFields>> {
    const keys = this.dependencies.types.keyIssuerOf(provider.type, provider.name);
    if (!keys?.issue) throw cannotIssue(provider);
    const admin = await this.#admin(provider, keys);
    if (!admin) throw noAdmin(adminOf(provider, keys));
    if (!isSameAddress(destination, admin.destination)) throw otherAddress(provider, adminOf(provider, keys));
    try {
      return await keys.issue(admin.credential, { label, current }, this.#asAdmin(admin, context));
    } catch (error) {
      throw toProviderError(error, adminOf(provider, keys), admin.service) ?? error;
    }
  }

  /**
   * Deletes the keys that were created under that label and never stored.
   *
   * @throws ProviderError if the service is unavailable, or refuses the admin credential
   */
  async discard(provider: ProviderIdentity, label: string, context: SignalContext): Promise<void> {
    const keys = this.dependencies.types.keyIssuerOf(provider.type, provider.name);
    const admin = keys?.discard && (await this.#admin(provider, keys));
    if (!keys?.discard || !admin) return;
    try {
      await keys.discard(admin.credential, { label }, this.#asAdmin(admin, context));
    } catch (error) {
      throw toProviderError(error, adminOf(provider, keys), admin.service) ?? error;
    }
  }

  /**
   * Revokes a key if the service's API can; otherwise reports what a person must do. May be called again.
   *
   * @throws ProviderError if the service is unavailable, or refuses the admin credential: it is then unknown whether
   *   the key is revoked
   */
  async revoke(provider: ProviderIdentity, key: RevokeKeyInput, context: SignalContext): Promise<RevocationReport> {
    const keys = this.dependencies.types.keyIssuerOf(provider.type, provider.name);
    const admin = keys?.revoke && (await this.#admin(provider, keys));
    if (!keys?.revoke || !admin || !isSameAddress(key.destination, admin.destination)) return this.byHand(provider);
    const { destination: _, ...revoked } = key;
    try {
      return await keys.revoke(admin.credential, revoked, this.#asAdmin(admin, context));
    } catch (error) {
      throw toProviderError(error, adminOf(provider, keys), admin.service) ?? error;
    }
  }

  byHand({ type, name }: ProviderIdentity): RevocationReport {
    return { outcome: 'by-hand', detail: this.dependencies.types.get(type).revokeByHand(name) };
  }

  #asAdmin({ service }: ParsedProvider, context: SignalContext): CheckContext {
    return { ...context, fetch: service.adaptFetch(this.dependencies.fetch) };
  }

  /** The admin credential. `undefined` if the workspace configured none, or disabled it. */
  async #admin(provider: ProviderIdentity, keys: AnyKeyIssuer): Promise<ParsedProvider | undefined> {
    const found = await this.#adminRow(provider, keys);
    if (!found) return undefined;
    const { row, workspace } = found;
    const secret = await this.dependencies.vault.open(adminOf(provider, keys), row, workspace.dataKeys);
    return this.dependencies.types.parse(row.type, row.name, row.config, secret);
  }

  async #adminRow(provider: ProviderIdentity, keys: AnyKeyIssuer) {
    const { workspaceId, type, name } = adminOf(provider, keys);
    const workspace = await this.dependencies.store.readWorkspace(workspaceId);
    const row = workspace.providers.find((each) => each.type === type && each.name === name);
    return row?.status === 'active' ? { row, workspace } : undefined;
  }
}

function adminOf({ workspaceId, name }: ProviderIdentity, { adminType }: AnyKeyIssuer): ProviderIdentity {
  return { workspaceId, type: adminType, name };
}

function cannotIssue(provider: ProviderIdentity): ProviderError {
  const message = `no key can be made for ${describeProvider(provider)} at its service: give the next credential`;
  return new ProviderError('ProviderConfigInvalid', message, { provider, fields: ['secret'] });
}

function otherAddress(provider: ProviderIdentity, admin: ProviderIdentity): ProviderError {
  const message =
    `no key can be made for ${describeProvider(provider)}: it would go to another address than ` +
    `${admin.type}/${admin.name}, which makes it. Give both the same config.baseURL`;
  return new ProviderError('ProviderConfigInvalid', message, { provider, fields: ['config.baseURL'] });
}

function noAdmin(admin: ProviderIdentity): ProviderError {
  const { workspaceId, type, name } = admin;
  const command = `workspace-providers configure ${workspaceId} ${type} ${name}`;
  const message = `${workspaceId} has no ${type}/${name}: run ${command}`;
  return new ProviderError('ProviderNotConfigured', message, { provider: admin });
}
