/** A migrated Postgres of the benchmarks' own, with workspaces in it that the client wrote which operators use. */
import { ProviderClient, parseLocalKeyring } from '../dist/client.js';
import { startPostgres } from '../dist/dev/postgres.js';
import { createLogin } from '../dist/store/logins.js';
import { migrate } from '../dist/store/migrate.js';
import { createEncryptionKey, createWorkspaceIds, providersOf } from './workspaces.js';

/** As many as the client's pool has connections. */
const WRITERS = 10;

/** @typedef {Awaited<ReturnType<typeof startDatabase>>} BenchDatabase */

/** @param {number} workspaces */
export async function startDatabase(workspaces) {
  const postgres = await startPostgres();
  try {
    await migrate(postgres.url);
    const encryptionKey = createEncryptionKey();
    const rootKeyring = parseLocalKeyring(encryptionKey);
    const workspaceIds = createWorkspaceIds(workspaces);
    const managerUrl = await createLogin(postgres.url, 'provider_manager');
    await writeProviders(managerUrl, rootKeyring, workspaceIds);
    return {
      /** Of a superuser. */
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

async function writeProviders(databaseUrl, rootKeyring, workspaceIds) {
  const client = ProviderClient.connect({ store: { databaseUrl }, rootKeyring });
  const remaining = workspaceIds.values();
  const write = async () => {
    for (const workspaceId of remaining) {
      for (const provider of providersOf(workspaceId)) await client.configureProvider({ workspaceId, ...provider });
    }
  };
  try {
    await Promise.all(Array.from({ length: WRITERS }, write));
  } finally {
    await client.close();
  }
}
