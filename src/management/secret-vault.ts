/** Seals the secret fields of a provider for its row, and opens them. It keeps no plaintext between calls. */
import { ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import { ownedBy, rememberSecretFields } from '../redaction/opened-secrets.js';
import { parseJson } from '../redaction/parse-json.js';
import type { Sealer } from '../sealing/sealer.js';
import type { ManagementStore } from '../store/management-store.js';
import type { WorkspaceSnapshot, WrappedDataKey } from '../store/ports.js';

export type SecretFields = Readonly<Record<string, unknown>>;

export class SecretVault {
  constructor(
    private readonly sealer: Sealer,
    private readonly store: Pick<ManagementStore, 'addDataKey'>,
  ) {}

  /**
   * Seals a secret. A first data key of a workspace is stored only after the secret was sealed with it, so that a
   * failure leaves nothing behind.
   *
   * @throws ProviderError `CredentialUnreadable` if the data key cannot be unwrapped, `KeyServiceUnavailable`
   */
  async seal(
    identity: ProviderIdentity,
    secret: SecretFields,
    { dataKeys: [active] }: Pick<WorkspaceSnapshot, 'dataKeys'>,
  ): Promise<string> {
    if (active) return this.sealUnder(active, identity, secret);
    const first = await this.createDataKey(identity.workspaceId);
    const encryptedConfig = await this.sealUnder(first, identity, secret);
    const winner = await this.store.addDataKey(identity.workspaceId, first);
    return winner.kid === first.kid ? encryptedConfig : this.sealUnder(winner, identity, secret);
  }

  /** Creates a data key that is not stored yet. @throws ProviderError `KeyServiceUnavailable` */
  createDataKey(workspaceId: string): Promise<WrappedDataKey> {
    return this.sealer.createDataKey(workspaceId);
  }

  /** @throws ProviderError `CredentialUnreadable` if the data key cannot be unwrapped, `KeyServiceUnavailable` */
  sealUnder(dataKey: WrappedDataKey, identity: ProviderIdentity, secret: SecretFields): Promise<string> {
    ownedBy(identity.workspaceId, () => rememberSecretFields(secret));
    return this.sealer.seal(identity, JSON.stringify(secret), dataKey);
  }

  /**
   * @throws ProviderError `CredentialUnreadable`, `KeyServiceUnavailable`, `ProviderConfigInvalid` if it is not a JSON
   *   object
   */
  async open(
    identity: ProviderIdentity,
    encryptedConfig: string,
    dataKeys: readonly WrappedDataKey[],
  ): Promise<SecretFields> {
    const secret = parseJson(await this.sealer.open(identity, encryptedConfig, dataKeys));
    ownedBy(identity.workspaceId, () => rememberSecretFields(secret));
    if (typeof secret === 'object' && secret !== null && !Array.isArray(secret)) return secret as SecretFields;
    throw new ProviderError(
      'ProviderConfigInvalid',
      `the sealed config of ${describeProvider(identity)} is not a JSON object: configure the provider again`,
      { provider: identity, fields: ['secret'] },
    );
  }
}
