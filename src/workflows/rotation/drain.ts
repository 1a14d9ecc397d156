/** The drain of a rotation: rounds of waiting, each of which reports the workers whose steps hold an older version. */
import type { ProviderIdentity } from '../../protocol/references.js';
import type { DrainReport } from '../../protocol/rotation.js';
import { DRAIN_OPTIONS, operation } from './proxies.js';

export interface DrainOptions {
  readonly provider: ProviderIdentity;
  /** Steps that hold an older version are waited for. */
  readonly version: number;
  /** The epoch of the fence. */
  readonly epoch: number;
  readonly limitMs: number;
  /** Called with the current holders after each round. */
  readonly onReport: (report: DrainReport) => void;
}

/** The first round does not wait. Later rounds wait, each longer than the one before, up to a limit. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** @returns true once no older version is held; false if the limit was reached first */
export async function drain({ provider, version, epoch, limitMs, onReport }: DrainOptions): Promise<boolean> {
  const startMs = Date.now();
  const wait = operation('awaitDrain', DRAIN_OPTIONS, 'wait until no step holds the older version');
  for (let waitMs = 0; ; waitMs = Math.min(Math.max(waitMs * 2, FIRST_WAIT_MS), LONGEST_WAIT_MS)) {
    const leftMs = Math.max(0, limitMs - (Date.now() - startMs));
    const { holders } = await wait({ provider, version, epoch, limitMs: Math.min(waitMs, leftMs) });
    const drained = holders.length === 0;
    onReport({ drained, holders, tookMs: Date.now() - startMs });
    if (drained || Date.now() - startMs >= limitMs) return drained;
  }
}
