/** A migrated Postgres for the benchmarks, with workspaces that were written by the client that operators use. */
import { startPostgres } from '../dist/dev/postgres.js';
import { ProviderClient } from '../dist/management.js';
import { parseLocalKeyring } from '../dist/sealing/local-keyring.js';
import { createLogin } from '../dist/store/logins.js';
import { migrate } from '../dist/store/migrate.js';
import { createEncryptionKey, createWorkspaceIds, providersOf } from './workspaces.js';

/** As many as the client's pool has connections. */
const WRITERS = 10;

/** No worker runs yet, so none could serve an older version. */
const UNFENCED = { fence: /** @type {const} */ (false) };

/** @typedef {Awaited<ReturnType<typeof startDatabase>>} BenchDatabase */

/**
 * @param {number} workspaces
 * @param {import('../dist/dev/postgres.js').PostgresOptions} [options]
 */
export async function startDatabase(workspaces, options = {}) {
  const postgres = await startPostgres(options);
  try {
    await migrate(postgres.url);
    const encryptionKey = createEncryptionKey();
    const rootKeyring = parseLocalKeyring(encryptionKey);
    const workspaceIds = createWorkspaceIds(workspaces);
    const managerUrl = await createLogin(postgres.url, 'provider_manager');
    await writeProviders(managerUrl, encryptionKey, workspaceIds);
    return {
      /** The URL of a superuser. */
      adminUrl: postgres.url,
      resolverUrl: await createLogin(postgres.url, 'provider_resolver'),
      managerUrl,
      encryptionKey,
      rootKeyring,
      workspaceIds,
      stop: () => postgres.stop(),
    };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function writeProviders(databaseUrl, rootKeys, workspaceIds) {
  const client = await ProviderClient.connect({ databaseUrl, rootKeys, env: {} });
  const remaining = workspaceIds.values();
  const write = async () => {
    for (const workspaceId of remaining) {
      for (const provider of providersOf(workspaceId))
        await client.configureProvider({ workspaceId, ...provider }, UNFENCED);
    }
  };
  try {
    await Promise.all(Array.from({ length: WRITERS }, write));
  } finally {
    await client.close();
  }
}
