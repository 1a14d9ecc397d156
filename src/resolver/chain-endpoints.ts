/** Which of a workspace's providers are endpoints of a chain, and in what order they are asked. */
import type { ProviderReference } from '../protocol/references.js';
import type { RpcCredential } from '../providers/rpc.js';
import type { OpenedProvider, StoredProvider, WorkspaceEntry } from './workspace-entry.js';

/** Active or not. The chain stands in the public config, so nothing need be opened to tell. */
export function endpointsOf(entry: WorkspaceEntry, chainId: number): StoredProvider[] {
  return entry
    .ofType('rpc')
    .filter(({ record }) => (record.config as { chainId?: unknown } | null)?.chainId === chainId);
}

/** Whether the entry has active endpoints, none of them older than `floors`. */
export function servesChain(entry: WorkspaceEntry, chainId: number, floors: readonly ProviderReference[]): boolean {
  return (
    endpointsOf(entry, chainId).some(({ active }) => active) &&
    floors.every(({ source, type, name, version }) => {
      return source === 'platform' || (entry.find(type, name)?.record.version ?? -1) >= version;
    })
  );
}

/** Lower priorities first; by name where they are equal, so that every worker asks in the same order. */
export function byPriority(a: { opened: OpenedProvider }, b: { opened: OpenedProvider }): number {
  const priority = ({ opened }: { opened: OpenedProvider }) => (opened.credential as RpcCredential).priority;
  return priority(a) - priority(b) || (a.opened.reference.name < b.opened.reference.name ? -1 : 1);
}
