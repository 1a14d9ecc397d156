/**
 * Repeats the preflight while a process runs: a right that is granted for an afternoon, or a policy that is dropped,
 * shows in no error. A fault is reported and does not end the process, which would turn a mistaken grant into an outage.
 */
import { isProviderError } from '../protocol/errors.js';

/** One small query per process. At a random time within it, so that the workers of a fleet do not ask all at once. */
const CHECK_EVERY_MS = 10 * 60_000;

/**
 * Emits a process warning, `ProviderSetupWarning`, each time that the check fails with `SetupInvalid`.
 *
 * @param everyMs - the mean time between two checks
 * @returns a function that ends the checks
 */
export function watchPreflight(preflight: () => Promise<void>, everyMs = CHECK_EVERY_MS): () => void {
  let ended = false;
  let timer: NodeJS.Timeout;
  const check = () => checkNow(preflight).finally(checkLater);
  const checkLater = () => {
    if (!ended) timer = setTimeout(() => void check(), everyMs * (0.5 + Math.random())).unref();
  };
  checkLater();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

/** Checks once, with the same warning: after a sign that something has changed. */
export async function checkNow(preflight: () => Promise<void>): Promise<void> {
  await preflight().catch((error: unknown) => {
    // While Postgres is away, nothing is known. The next check tells.
    if (isProviderError(error, 'SetupInvalid')) process.emitWarning(error.message, 'ProviderSetupWarning');
  });
}
