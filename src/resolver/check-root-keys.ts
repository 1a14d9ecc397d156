/**
 * Finds a foreign root key at the start. Every credential would fail to open, and each of these failures is final for
 * its workflow.
 */
import { isProviderError, ProviderError } from '../protocol/errors.js';
import type { RootKeyring } from '../sealing/root-keyring.js';
import type { ProviderStore } from '../store/provider-store.js';

/** @throws ProviderError `SetupInvalid` if the root keys open none of the data keys that were sampled */
export async function checkRootKeys(
  rootKeyring: Pick<RootKeyring, 'unwrap'>,
  store: Pick<ProviderStore, 'sampleDataKeys'>,
): Promise<void> {
  const samples = await store.sampleDataKeys();
  for (const { workspaceId, ...dataKey } of samples) {
    try {
      (await rootKeyring.unwrap(dataKey, workspaceId)).fill(0);
      return;
    } catch (error) {
      // A key service that is away says nothing about the keys. One data key may be damaged.
      if (!isProviderError(error, 'CredentialUnreadable')) return;
    }
  }
  if (samples.length === 0) return;
  const wrappedBy = [...new Set(samples.map(({ rootKeyId }) => rootKeyId))].join(', ');
  throw ProviderError.setupInvalid(
    'ENCRYPTION_KEY',
    `has no root key that opens the credentials of this database, which are sealed under ${wrappedBy}: set it to the ` +
      'root keys that the other processes of this database have; another key may have the same id',
  );
}
