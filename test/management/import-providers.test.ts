/** What an import does about other callers and failures between its check and its writes, with a store in memory. */
import { describe, expect, it } from 'vitest';
import { PUBLIC_EGRESS } from '../../src/egress/policy.js';
import { importProviders } from '../../src/management/import-providers.js';
import { SecretVault } from '../../src/management/secret-vault.js';
import { ProviderError } from '../../src/protocol/errors.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import { Sealer } from '../../src/sealing/sealer.js';
import type { BulkWrite } from '../../src/store/bulk-store.js';
import type { WorkspaceDataKey } from '../../src/store/data-key-store.js';
import type { ManagementStore } from '../../src/store/management-store.js';
import { TEST_ENCRYPTION_KEY } from '../support/fake-store.js';

const sealer = new Sealer(parseLocalKeyring(TEST_ENCRYPTION_KEY));
const providers = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    ...{ workspaceId: 'ws_acme', type: 'rpc', name: `node-${`${index}`.padStart(4, '0')}`, config: { chainId: 1 } },
    secret: { url: `https://rpc.example/canary-${index}` },
  }));

function parts(store: Partial<ManagementStore>) {
  const bulk = {
    readWorkspaces: async (ids: readonly string[]) => ids.map(() => ({ epoch: 0, dataKeys: [], providers: [] })),
    addDataKeys: async (keys: readonly WorkspaceDataKey[]) => keys,
    putProviders: async (writes: readonly BulkWrite[]) => writes.map(() => true),
    ...store,
  } as unknown as ManagementStore;
  const types = ProviderTypes.builtIn;
  return { store: bulk, vault: new SecretVault(sealer, bulk, types), egress: PUBLIC_EGRESS, types };
}

describe('an import', () => {
  it('seals again under the data key of another caller who was first', async () => {
    const winner = await sealer.createDataKey('ws_acme');
    const written: BulkWrite[] = [];
    const dependencies = parts({
      addDataKeys: async (keys) => keys.map(() => winner),
      async putProviders(writes) {
        written.push(...writes);
        return writes.map(() => true);
      },
    });
    expect(await importProviders(providers(2), dependencies, { fence: false })).toMatchObject({ added: 2 });
    const opened = await Promise.all(
      written.map((write) =>
        sealer.open({ ...write, destination: '' }, write.encryptedConfig, [winner]).then((text) => JSON.parse(text)),
      ),
    );
    expect(opened).toEqual([{ url: 'https://rpc.example/canary-0' }, { url: 'https://rpc.example/canary-1' }]);
  });

  it('that fails between two transactions says how many providers were imported, and what to do', async () => {
    let batches = 0;
    const dependencies = parts({
      async putProviders(writes) {
        batches += 1;
        if (batches === 1) return writes.map(() => true);
        throw new ProviderError('StoreUnavailable', 'Postgres does not answer');
      },
    });
    await expect(importProviders(providers(600), dependencies, { fence: false })).rejects.toMatchObject({
      type: 'StoreUnavailable',
      message: '250 of 600 providers were imported; import the same again for the rest: Postgres does not answer',
    });
  });

  it('leaves a provider that another caller configures meanwhile, and names it, unless it may be skipped', async () => {
    const dependencies = parts({ putProviders: async (writes) => writes.map(({ name }) => name !== 'node-0001') });
    await expect(importProviders(providers(3), dependencies, { fence: false })).rejects.toMatchObject({
      type: 'ProviderChanged',
      message: expect.stringMatching(/^2 of 3 providers were imported; .*rpc\/node-0001 of ws_acme was configured/),
    });
    expect(await importProviders(providers(3), dependencies, { fence: false, existing: 'skip' })).toMatchObject({
      ...{ added: 2, skipped: 1, complete: true },
    });
  });
});
