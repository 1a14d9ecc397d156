/**
 * After the database was restored to an earlier time, workflows may hold references to versions that it has lost, and
 * would wait for them. All versions and the epoch are raised beyond any that can have been lost.
 */
import type { FenceReport } from '../protocol/rotation.js';
import type { WorkerRegistry } from '../store/ports.js';
import type { RestoreStore } from '../store/restore-store.js';
import { type FenceWait, waitForFence } from './change-fence.js';

/**
 * Raises every version, then the epoch, and waits until no worker serves what it read before the restore.
 *
 * @throws ProviderError `StoreUnavailable`: call it again. A version that is raised twice does no harm
 */
export async function continueAfterRestore(
  store: RestoreStore & WorkerRegistry,
  wait: FenceWait = {},
): Promise<FenceReport> {
  for (let after: string | undefined = ''; after !== undefined; ) after = await store.raiseVersions(after);
  await store.endRestore();
  return waitForFence(store, wait);
}
