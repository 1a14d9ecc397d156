/**
 * Rotations whose workflow is gone: it was terminated, its history was reset to another run, or Temporal has lost it.
 * Such a rotation would never end by itself, would keep its sealed credentials, and would block every other one.
 */
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import { type RotationRuns, rotationWorkflowId } from '../protocol/rotation.js';
import type { RotationStore } from '../store/rotation-store.js';
import type { RotationCredentials } from './rotation-credentials.js';

export interface AbandonedParts {
  readonly store: Pick<RotationStore, 'findOpenRotation' | 'listOpenRotations' | 'readRotation'>;
  readonly rotations: Pick<RotationCredentials, 'abandon'>;
  readonly runs: RotationRuns;
}

/** How long a service may take to delete a key: the caller who rotates again waits for it. */
export const ABANDON_TIMEOUT_MS = 15_000;
/** A workflow closes within moments after its rotation has ended. */
const CLOSING_MS = 60_000;
const PAGE_SIZE = 100;

/**
 * Ends the provider's rotation if its workflow is gone. Afterwards the next rotation can start, if none is running.
 *
 * @returns whether a rotation is running, and whether one was ended
 * @throws ProviderError `RotationFailed` if a workflow that is not a rotation has the rotation's id
 */
export async function endAbandoned(
  provider: ProviderIdentity,
  { store, rotations, runs }: AbandonedParts,
): Promise<{ readonly running: boolean; readonly ended: boolean }> {
  // Read before Temporal is asked: the workflow of a rotation that has begun runs until the rotation has ended.
  const openId = await store.findOpenRotation(provider);
  const workflowId = rotationWorkflowId(provider);
  const run = await runs.find(workflowId);
  if (run.state === 'rotation') {
    const { runId, rotationId } = run;
    if (rotationId === undefined || rotationId === openId) return { running: true, ended: false };
    if (!(await hasEnded(rotationId, openId === undefined ? CLOSING_MS : 0, store))) {
      return { running: true, ended: false };
    }
    // A reset has brought back the run of a rotation that has ended. It has nothing left to do.
    await runs.terminate(workflowId, runId, 'its rotation has ended');
  }
  const signal = AbortSignal.timeout(ABANDON_TIMEOUT_MS);
  if (openId !== undefined) await rotations.abandon(openId, 'its workflow ended before the rotation did', { signal });
  if (run.state === 'foreign') {
    const message =
      `a workflow that is not a rotation runs under the id ${workflowId}, which the rotation of ` +
      `${describeProvider(provider)} needs: terminate it, and rotate again`;
    throw new ProviderError('RotationFailed', message, { provider });
  }
  return { running: false, ended: openId !== undefined };
}

/**
 * Ends every rotation whose workflow is gone. One that cannot be ended now is left to the next call.
 *
 * @returns how many were ended
 * @throws ProviderError `StoreUnavailable`. The reason of `signal`, if it is aborted
 */
export async function endAllAbandoned(parts: AbandonedParts, signal: AbortSignal): Promise<number> {
  let ended = 0;
  for (let after: string | undefined; ; ) {
    const page = await parts.store.listOpenRotations(after, PAGE_SIZE);
    for (const { provider } of page) {
      signal.throwIfAborted();
      const outcome = await endAbandoned(provider, parts).catch(() => undefined);
      if (outcome?.ended) ended += 1;
    }
    if (page.length < PAGE_SIZE) return ended;
    after = page.at(-1)?.rotationId;
  }
}

async function hasEnded(
  rotationId: string,
  forMs: number,
  store: Pick<RotationStore, 'readRotation'>,
): Promise<boolean> {
  try {
    const { endedAt } = await store.readRotation(rotationId);
    return endedAt !== undefined && Date.now() - endedAt.getTime() >= forMs;
  } catch (error) {
    // A database that was restored may not have it.
    if (isProviderError(error, 'RotationFailed')) return true;
    throw error;
  }
}
