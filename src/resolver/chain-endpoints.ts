/** The endpoints of a chain: which of a workspace's providers they are, and in what order they are asked. */
import { isProviderError, type ProviderError } from '../protocol/errors.js';
import type { RpcReference, UnusableEndpoint, VersionFloors } from '../protocol/references.js';
import type { RpcCredential } from '../providers/rpc/rpc.js';
import type { OpenedProvider, SealedProvider, WorkspaceEntry } from './workspace-entry.js';

/** The endpoints of a chain, active or not. The chain is part of the public config, so no row has to be opened. */
export function endpointsOf(entry: WorkspaceEntry, chainId: number): SealedProvider[] {
  return entry
    .ofType('rpc')
    .filter(({ record }) => (record.config as { chainId?: unknown } | null)?.chainId === chainId);
}

/** Whether the entry has active endpoints, none of them older than `floors`. */
export function servesChain(entry: WorkspaceEntry, chainId: number, floors: VersionFloors): boolean {
  return (
    endpointsOf(entry, chainId).some(({ active }) => active) &&
    Object.entries(floors).every(([name, version]) => (entry.find('rpc', name)?.record.version ?? -1) >= version)
  );
}

/** The versions of a reference's endpoints, of which no older one may answer. */
export function floorsIn({ endpoints }: RpcReference): VersionFloors {
  const own = endpoints.filter(({ source }) => source === 'workspace');
  return Object.fromEntries(own.map(({ name, version }) => [name, version]));
}

/** Lower priorities first, then by name, so that every worker asks in the same order. */
export function byPriority(a: { opened: OpenedProvider }, b: { opened: OpenedProvider }): number {
  const priority = ({ opened }: { opened: OpenedProvider }) => (opened.credential as RpcCredential).priority;
  return priority(a) - priority(b) || (a.opened.reference.name < b.opened.reference.name ? -1 : 1);
}

/** Failures that say nothing about the request: another endpoint may answer it. So may it if this one lacks a method. */
const PASSED_OVER: ReadonlySet<string> = new Set([
  'ProviderUnavailable',
  'ProviderRateLimited',
  'ProviderQuotaExhausted',
  'ProviderDisabled',
]);

/** Whether the next endpoint is asked after such a failure. A refused key is not passed over: it must be noticed. */
export function isPassedOver(error: ProviderError): boolean {
  return PASSED_OVER.has(error.type) || error.facts.isOfEndpoint === true;
}

/** A provider that may be asked. Of a list of names, the first that is active is meant. */
interface Candidate {
  readonly name: string | readonly string[];
}

/**
 * Asks one provider after the other.
 *
 * @param mayPass - whether the next one is asked after that failure
 * @returns the first answer, and the providers that failed before it
 * @throws the first failure that is not passed over; if all are passed over, a retryable one, or else the last
 */
export async function firstAnswer<Asked extends Candidate, Result>(
  candidates: readonly Asked[],
  ask: (candidate: Asked) => Promise<Result>,
  mayPass: (error: ProviderError) => boolean = isPassedOver,
): Promise<{ readonly result: Result; readonly skipped: readonly UnusableEndpoint[] }> {
  const failures: { name: string; error: ProviderError }[] = [];
  for (const candidate of candidates) {
    try {
      const result = await ask(candidate);
      return { result, skipped: failures.map(({ name, error }) => ({ name, failure: error.type })) };
    } catch (error) {
      if (!isProviderError(error) || !mayPass(error)) throw error;
      failures.push({ name: error.facts.provider?.name ?? [candidate.name].flat()[0] ?? '', error });
    }
  }
  // A failure that may pass comes before one that will not, so that the step is retried.
  throw failures.find(({ error }) => error.retryable)?.error ?? failures.at(-1)?.error;
}
