/**
 * Seals the secret fields of a provider for its row and its destination, and opens them for the destination that the
 * config has now. It keeps no plaintext between calls.
 */
import { ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { ParsedProvider } from '../providers/parse-provider.js';
import type { ProviderTypes } from '../providers/provider-types.js';
import { rememberSecretFields } from '../redaction/opened-secrets.js';
import { parseJson } from '../redaction/parse-json.js';
import type { Sealer } from '../sealing/sealer.js';
import type { ManagementStore } from '../store/management-store.js';
import type { ProviderRecord, WorkspaceSnapshot, WrappedDataKey } from '../store/ports.js';

export type SecretFields = Readonly<Record<string, unknown>>;

/** A sealed secret, and the config that decides where it would be sent. */
export type SealedProviderFields = Pick<ProviderRecord, 'config' | 'encryptedConfig'>;

/** A secret, with the destination that it is sealed for. */
type SealableCredential = Pick<ParsedProvider, 'secret' | 'destination'>;

export class SecretVault {
  constructor(
    private readonly sealer: Sealer,
    private readonly store: Pick<ManagementStore, 'addDataKey'>,
    private readonly types: ProviderTypes,
  ) {}

  /**
   * Seals a secret for a destination. A first data key of a workspace is stored only after the secret was sealed with
   * it, so that a failure leaves nothing behind.
   *
   * @throws ProviderError `CredentialUnreadable` if the data key cannot be unwrapped, `KeyServiceUnavailable`
   */
  async seal(
    identity: ProviderIdentity,
    credential: SealableCredential,
    { dataKeys: [active] }: Pick<WorkspaceSnapshot, 'dataKeys'>,
  ): Promise<string> {
    if (active) return this.sealUnder(active, identity, credential);
    const first = await this.createDataKey(identity.workspaceId);
    const encryptedConfig = await this.sealUnder(first, identity, credential);
    const winner = await this.store.addDataKey(identity.workspaceId, first);
    return winner.kid === first.kid ? encryptedConfig : this.sealUnder(winner, identity, credential);
  }

  /** Creates a data key that is not stored yet. @throws ProviderError `KeyServiceUnavailable` */
  createDataKey(workspaceId: string): Promise<WrappedDataKey> {
    return this.sealer.createDataKey(workspaceId);
  }

  /** @throws ProviderError `CredentialUnreadable` if the data key cannot be unwrapped, `KeyServiceUnavailable` */
  sealUnder(
    dataKey: WrappedDataKey,
    identity: ProviderIdentity,
    { secret, destination }: SealableCredential,
  ): Promise<string> {
    rememberSecretFields(identity.workspaceId, secret);
    return this.sealer.seal({ ...identity, destination }, JSON.stringify(secret), dataKey);
  }

  /**
   * Opens a secret that was sealed for the destination of this config.
   *
   * @throws ProviderError `CredentialUnreadable`, also if it was sealed for another destination;
   *   `KeyServiceUnavailable`; `ProviderConfigInvalid` if the config does not fit its type, or the secret is not a JSON
   *   object
   */
  async open(
    identity: ProviderIdentity,
    { config, encryptedConfig }: SealedProviderFields,
    dataKeys: readonly WrappedDataKey[],
  ): Promise<SecretFields> {
    const destination = this.types.destinationOf(identity.type, identity.name, config);
    return toFields(identity, await this.sealer.open({ ...identity, destination }, encryptedConfig, dataKeys));
  }

  /**
   * Opens a secret, whatever the config is now, for a caller that sends it nowhere but to the destination that it was
   * sealed for. Throws as {@link open} does.
   */
  async openWithDestination(
    identity: ProviderIdentity,
    encryptedConfig: string,
    dataKeys: readonly WrappedDataKey[],
  ): Promise<{ readonly secret: SecretFields; readonly destination: string }> {
    const { plaintext, destination } = await this.sealer.openWithDestination(identity, encryptedConfig, dataKeys);
    return { secret: toFields(identity, plaintext), destination };
  }
}

function toFields(identity: ProviderIdentity, plaintext: string): SecretFields {
  const secret = parseJson(plaintext);
  rememberSecretFields(identity.workspaceId, secret);
  if (typeof secret === 'object' && secret !== null && !Array.isArray(secret)) return secret as SecretFields;
  throw new ProviderError(
    'ProviderConfigInvalid',
    `the sealed config of ${describeProvider(identity)} is not a JSON object: configure the provider again`,
    { provider: identity, fields: ['secret'] },
  );
}
