/** The secret fields of a row, in the clear. They stay within one call of the client. */
import { ProviderError } from '../protocol/errors.js';
import type { ProviderIdentity } from '../protocol/identity.js';
import { parseJson } from '../protocol/json.js';
import { describeProvider } from '../protocol/names.js';
import type { WrappedDataKey } from '../protocol/records.js';
import type { Sealer } from '../sealing/sealer.js';
import { isObject } from './masking.js';

export type SecretFields = Readonly<Record<string, unknown>>;

/** @throws ProviderError `CredentialUnreadable`, `KeyServiceUnavailable`, `ProviderConfigInvalid` where it is no JSON object */
export async function openSecret(
  sealer: Sealer,
  identity: ProviderIdentity,
  encryptedConfig: string,
  dataKeys: readonly WrappedDataKey[],
): Promise<SecretFields> {
  const secret = parseJson(await sealer.open(identity, encryptedConfig, dataKeys));
  if (isObject(secret)) return secret;
  throw new ProviderError(
    'ProviderConfigInvalid',
    `the sealed config of ${describeProvider(identity)} is no JSON object: configure it anew`,
    { provider: identity, fields: ['secret'] },
  );
}
