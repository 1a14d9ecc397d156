/**
 * Wraps every data key under the active root key, so that an older root key can be removed from the keyring. Sealed
 * credentials stay as they are, and workers continue: every key of the keyring opens. May be interrupted and run again.
 */
import { isProviderError } from '../protocol/errors.js';
import type { Sealer } from '../sealing/sealer.js';
import type { DataKeyStore, WorkspaceDataKey } from '../store/data-key-store.js';

export interface RewrapReport {
  /** The number of data keys that were wrapped under the active root key. */
  readonly rewrapped: number;
  /** The number of data keys that already were. */
  readonly unchanged: number;
  /**
   * Workspaces whose data keys cannot be unwrapped: the keyring lacks their root key. Their credentials do not open.
   */
  readonly lost: readonly string[];
}

const PAGE = 100;
/** As many as the pool has connections: each data key is a change of its own, and waits for its commit. */
const AT_ONCE = 10;

/**
 * @throws ProviderError `StoreUnavailable`, `KeyServiceUnavailable`: data keys that were wrapped before stay wrapped
 */
export async function rewrapDataKeys(store: DataKeyStore, sealer: Sealer): Promise<RewrapReport> {
  const counts = { rewrapped: 0, unchanged: 0 };
  const lost = new Set<string>();
  let last: WorkspaceDataKey | undefined;
  for (;;) {
    const page = await store.listDataKeys(last, PAGE);
    const remaining = page.values();
    const rewrapInTurn = async () => {
      for (const key of remaining) {
        const outcome = await rewrap(key, store, sealer);
        if (outcome === 'lost') lost.add(key.workspaceId);
        else counts[outcome] += 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, rewrapInTurn));
    last = page.at(-1);
    if (page.length < PAGE) return { ...counts, lost: [...lost] };
  }
}

async function rewrap(key: WorkspaceDataKey, store: DataKeyStore, sealer: Sealer) {
  const { workspaceId, ...dataKey } = key;
  try {
    const rewrapped = await sealer.rewrap(workspaceId, dataKey);
    if (!rewrapped) return 'unchanged';
    return (await store.rewrapDataKey(key, rewrapped)) ? 'rewrapped' : 'unchanged';
  } catch (error) {
    if (isProviderError(error, 'CredentialUnreadable')) return 'lost';
    throw error;
  }
}
