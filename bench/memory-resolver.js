/** A resolver over a store in memory, for what needs no database. The rows are parsed JSON, like those of Postgres. */
import { ProviderTypes } from '../dist/providers/provider-types.js';
import { createParts } from '../dist/resolver/connect-parts.js';
import { ProviderResolver } from '../dist/resolver/provider-resolver.js';
import { parseLocalKeyring } from '../dist/sealing/local-keyring.js';
import { Sealer } from '../dist/sealing/sealer.js';
import { heldLease } from './lease.js';
import { createEncryptionKey } from './workspaces.js';

/** @typedef {{ type: string, name: string, config: Record<string, unknown>, secret: Record<string, unknown> }} Provider */

/**
 * @param {readonly string[]} workspaceIds
 * @param {(workspaceId: string) => Provider[]} providersOf
 * @param {Partial<import('../dist/resolver/connect-parts.js').PartsDependencies>} [dependencies]
 */
export function resolverInMemory(workspaceIds, providersOf, dependencies = {}) {
  const sealer = new Sealer(parseLocalKeyring(createEncryptionKey()), { maxDataKeys: workspaceIds.length });
  const readWorkspace = async (/** @type {string} */ workspaceId) => {
    const dataKey = await sealer.createDataKey(workspaceId);
    const providers = [];
    for (const { type, name, config, secret } of providersOf(workspaceId)) {
      const destination = ProviderTypes.builtIn.destinationOf(type, name, config);
      const encryptedConfig = await sealer.seal(
        { workspaceId, type, name, destination },
        JSON.stringify(secret),
        dataKey,
      );
      providers.push({ type, name, config, encryptedConfig, status: 'active', version: 1 });
    }
    return JSON.parse(JSON.stringify({ epoch: 0, dataKeys: [dataKey], providers }));
  };
  const maxProviders = workspaceIds.length * providersOf('').length;
  const store = { readWorkspace };
  return ProviderResolver.of(createParts({ store, sealer, fetch, lease: heldLease(), maxProviders, ...dependencies }));
}
