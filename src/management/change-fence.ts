/** Waits until every worker has a change of a provider. The change is committed, however the wait ends. */
import { DURATION_RULE, type Duration, parseDuration } from '../config/duration.js';
import { awaitFence, reportFence, requireLineage } from '../fence/fence.js';
import { Observer, type Reporter } from '../observer/observer.js';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import type { FenceReport, Holder } from '../protocol/rotation.js';
import type { EpochReading, HeldQuestion, HolderRegistry, WorkerRegistry } from '../store/ports.js';

/** How a wait for the fence may end early. The report then has `complete: false`, and lists who has not answered. */
export interface FenceWait {
  /** How long to wait. Default: until every worker has answered or its lease has expired. */
  readonly limit?: Duration;
  /** Ends the wait early. */
  readonly signal?: AbortSignal;
  /** Called once the workers are known, and whenever one of them has applied the change or is gone. */
  readonly onProgress?: (report: FenceReport) => void;
}

/** How a method that changes a provider waits for the workers. */
export interface ChangeOptions<Changed> extends Pick<FenceWait, 'signal' | 'onProgress'> {
  /**
   * `false` returns at once, without a proof. A duration limits the wait: the report has what was proven by then.
   * Default: wait for every worker.
   */
  readonly fence?: false | Duration;
  /** Called when the change is committed, before the wait. */
  readonly onChanged?: (changed: Changed) => void;
}

/**
 * Makes a change, and waits until every worker has it.
 *
 * @throws ProviderError `ProviderConfigInvalid` before the change, if the limit is not a duration; if the wait failed, one
 *   that says that the change was made
 */
export async function fenceChange<Changed extends object>(
  registry: WorkerRegistry,
  change: () => Promise<Changed>,
  { fence: limit, onChanged, ...wait }: ChangeOptions<Changed> = {},
  observer: Pick<Reporter, 'report'> = Observer.none,
): Promise<Changed & { readonly fence?: FenceReport }> {
  if (limit) limitMs(limit);
  if (limit === false) {
    const changed = await change();
    onChanged?.(changed);
    return changed;
  }
  // A fault here must not stop a change that switches something off. The fence reports it afterwards.
  const before = await registry.readEpoch().catch(() => undefined);
  const changed = await change();
  const changedMs = performance.now();
  onChanged?.(changed);
  try {
    const reading = await registry.readEpoch();
    if (before) requireLineage(before.lineage, reading);
    const fence = await fenceOf(registry, reading, { ...wait, ...(limit !== undefined && { limit }) });
    reportFence(observer, fence, performance.now() - changedMs);
    return { ...changed, fence };
  } catch (error) {
    if (!isProviderError(error)) throw error;
    throw new ProviderError(error.type, `the change was made, but some workers may not have it yet: ${error.message}`);
  }
}

/** Adds who still holds an older version, as far as Postgres can be asked: the change is fenced in any case. */
export async function withHolders<Changed extends { readonly version?: number; readonly fence?: FenceReport }>(
  registry: HolderRegistry,
  changed: Changed,
  { workspaceId, type, name }: HeldQuestion['provider'],
): Promise<Changed & { readonly holders?: readonly Holder[] }> {
  const { version, fence: { epoch } = { epoch: 0 } } = changed;
  const question = { provider: { workspaceId, ...(type && { type }), ...(name && { name }) }, epoch };
  const holders = await registry
    .listHolders({ ...question, ...(version !== undefined && { version }) })
    .catch(() => undefined);
  return { ...changed, ...(holders && { holders }) };
}

/** @throws ProviderError `StoreUnavailable`: it is then unknown which workers have the change */
export async function waitForFence(registry: WorkerRegistry, wait: FenceWait): Promise<FenceReport> {
  return fenceOf(registry, await registry.readEpoch(), wait);
}

async function fenceOf(
  registry: WorkerRegistry,
  change: EpochReading,
  { limit, signal, onProgress }: FenceWait,
): Promise<FenceReport> {
  const ends = [signal, limit === undefined ? undefined : AbortSignal.timeout(limitMs(limit))].filter(
    (end) => end !== undefined,
  );
  const end = AbortSignal.any(ends);
  const startMs = performance.now();
  let last: FenceReport = { epoch: change.epoch, complete: false, tookMs: 0, workers: [] };
  const note = (report: FenceReport) => {
    last = report;
    onProgress?.(report);
  };
  try {
    return await awaitFence({ registry, change, signal: end, onProgress: note });
  } catch (error) {
    if (!end.aborted) throw error;
    return { ...last, tookMs: Math.round(performance.now() - startMs) };
  }
}

function limitMs(limit: Duration): number {
  const ms = parseDuration(limit);
  if (ms !== undefined) return ms;
  throw ProviderError.configInvalid('fence', `must be false or ${DURATION_RULE}`);
}
