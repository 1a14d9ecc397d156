/**
 * The drain: it waits until no step holds an older version. A worker reports with each renewal what its outdated steps
 * hold, so its row is enough: nobody has to ask the worker. A worker is clear if its row has applied the change and
 * reports no older version of the provider. A worker without a row is clear too: it deregistered after its last step, or
 * it vanished longer ago than a step may run. In any other case it counts as a holder.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Holder } from '../protocol/rotation.js';
import type { HeldQuestion, HolderRegistry } from '../store/ports.js';

export interface DrainOptions {
  readonly registry: HolderRegistry;
  readonly question: HeldQuestion;
  /** How long to wait, in milliseconds. */
  readonly limitMs: number;
  readonly signal?: AbortSignal;
}

const FIRST_POLL_MS = 20;
const LAST_POLL_MS = 500;

/**
 * @returns the workers whose steps still held an older version when the time was up; none once the drain is complete
 * @throws ProviderError `StoreUnavailable`. The reason of `signal`, if it is aborted
 */
export async function awaitDrain({ registry, question, limitMs, signal }: DrainOptions): Promise<readonly Holder[]> {
  const startMs = performance.now();
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, LAST_POLL_MS)) {
    const holders = await registry.listHolders(question);
    const leftMs = limitMs - (performance.now() - startMs);
    if (holders.length === 0 || leftMs <= 0) return holders;
    await delay(Math.min(pollMs, leftMs), undefined, { signal });
  }
}
